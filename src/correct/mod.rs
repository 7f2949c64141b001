//! The main job: move samples of one run to where they would lie in another, learnt from the same control cells
//! measured in both.

mod again;
mod cofactors;
mod error;
mod experiment;
mod fit;
mod fitted;
mod halves;
mod joined;
mod method;
mod run_fit;
mod score;
mod stored;
mod study;
mod verdict;
mod zeros;

pub use crate::data::did_you_mean;
pub use crate::panel::Marker;

pub use again::{Earlier, RESULT_LAYER, earlier, records};
pub use cofactors::own_cofactors;
pub use error::CorrectError;
pub use experiment::{
    Design, Experiment, FILES_RUN, Roles, Run, Sample, from_annotated, from_files, runs_of,
};
pub use fit::{FitPlan, fit};
pub use fitted::{Applied, Fitted, Network};
pub use halves::{Halves, HeldOut};
pub use joined::{Codes, Guess, Joined};
pub use method::{Method, Preset};
pub use run_fit::RunFit;
pub use score::{Against, HoldoutScore, MarkerMedians, MethodScore, SampleScore, follows};
pub use study::{Reference, StudyRun, from_study, mean_control, pooled};
pub use verdict::{Evidence, Level, Verdict, verdict};
pub use zeros::{Zeros, zero_share};
