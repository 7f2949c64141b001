//! What the page of a correction shows.

/// All a page shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Heading of the page.
    pub title: String,
    /// What was corrected, in one line.
    pub subtitle: String,
    /// The scale the values are on, as axes name it: `arcsinh(x/5)`.
    pub unit: String,
    /// What to think of the result; the first thing one sees.
    pub verdict: Verdict,
    /// The method used and its rivals.
    pub score: ScoreTable,
    /// The figures of each sample or run.
    pub panels: Vec<Panel>,
    /// Training loss: step, loss. Empty when nothing was trained.
    pub loss: Vec<(f64, f64)>,
    /// Settings, name and value.
    pub parameters: Vec<(String, String)>,
    /// Where the numbers come from: files, checksums, version, seed.
    pub provenance: Vec<(String, String)>,
    /// What the reader must know before using the result.
    pub warnings: Vec<String>,
    /// Remarks of less weight, at the end.
    pub notes: Vec<String>,
}

/// What to think of the result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// One sentence.
    pub headline: String,
    /// What it rests on, a sentence each.
    pub details: Vec<String>,
    /// How good it is.
    pub level: Level,
}

/// How good a result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Level {
    /// The evidence speaks for it.
    Good,
    /// Usable with care, or not enough evidence.
    #[default]
    Caution,
    /// The evidence speaks against it.
    Bad,
    /// It was asked for no verdict.
    Unjudged,
}

/// Methods against measures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreTable {
    /// The measures.
    pub columns: Vec<Column>,
    /// One group of rows per sample or run.
    pub groups: Vec<ScoreGroup>,
}

/// One measure of the score table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub header: String,
    /// What it says, in plain words.
    pub explanation: String,
}

/// The rows of one sample or run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreGroup {
    /// The sample or run; may be empty when there is only one.
    pub name: String,
    /// A row per method.
    pub rows: Vec<ScoreRow>,
}

/// One method.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreRow {
    /// Its name.
    pub method: String,
    /// Whether the output file was made by it.
    pub chosen: bool,
    /// A value per column, in the columns' order; missing ones are shown as a dash.
    pub values: Vec<ScoreValue>,
}

/// One value of the score table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreValue {
    /// The value as it is to be read.
    pub text: String,
    /// Whether it is the best of its column and group.
    pub best: bool,
}

/// The figures of one sample or run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// The sample or run.
    pub name: String,
    /// What is what: ("source control", file or run), ("target control", …), ("sample", …).
    pub made_of: Vec<(String, String)>,
    /// How the median of each marker moved.
    pub medians: Medians,
    /// Controls and sample on two principal components.
    pub pca: Option<PcaCloud>,
    /// Two markers against each other.
    pub biaxial: Option<Biaxial>,
    /// How the values of each marker lie, a small plot each, in this order.
    pub densities: Vec<MarkerValues>,
}

/// How the median of each marker moved, and the measures that go with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Medians {
    /// One per marker.
    pub changes: Vec<MedianChange>,
    /// Correlation of the sample's changes with the controls'.
    pub r: Option<f64>,
    /// Slope of the sample's changes over the controls'.
    pub slope: Option<f64>,
    /// Root mean square of their difference.
    pub rmse: Option<f64>,
    /// Correlation of the sample's changes with its true changes, where these are known.
    pub r_true: Option<f64>,
}

/// How the median of one marker moved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MedianChange {
    /// The marker.
    pub marker: String,
    /// Median of the target control − median of the source control.
    pub control_change: f64,
    /// Median of the corrected sample − median of the sample.
    pub sample_change: f64,
    /// Median of the sample measured in the target run − median of the sample, where it was measured.
    pub true_change: Option<f64>,
}

/// What a group of cells is; fixes its name, colour and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The control cells of the run to be corrected.
    SourceControl,
    /// The control cells of the run corrected to.
    TargetControl,
    /// The sample as measured.
    Before,
    /// The sample as corrected.
    After,
    /// The sample as it was measured in the target run: held out, used for the score only.
    Truth,
}

/// Points of one group of cells, subsampled by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// What they are.
    pub role: Role,
    /// Their coordinates; those that are not finite are left out.
    pub at: Vec<[f64; 2]>,
}

/// Controls and sample on the first two principal components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PcaCloud {
    /// A group per role, at most one each.
    pub groups: Vec<Points>,
    /// Share of the variance each component explains.
    pub explained: [f64; 2],
}

/// Two markers against each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Biaxial {
    /// Marker along x.
    pub x: String,
    /// Marker along y.
    pub y: String,
    /// Why these two, as a half sentence: "the most and the least shifted marker".
    pub why: String,
    /// A group per role, at most one each.
    pub groups: Vec<Points>,
}

/// Values of one marker per group of cells, subsampled by the caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarkerValues {
    /// The marker.
    pub marker: String,
    /// The source control.
    pub source_control: Vec<f32>,
    /// The target control.
    pub target_control: Vec<f32>,
    /// The sample as measured.
    pub before: Vec<f32>,
    /// The sample as corrected.
    pub after: Vec<f32>,
    /// The sample measured in the target run, where it was.
    pub truth: Option<Vec<f32>>,
}

impl Role {
    /// All roles, in the order of legends.
    pub const ALL: [Role; 5] =
        [Role::SourceControl, Role::TargetControl, Role::Before, Role::After, Role::Truth];

    /// Its name in legends.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::SourceControl => "source control",
            Role::TargetControl => "target control",
            Role::Before => "sample before",
            Role::After => "sample after",
            Role::Truth => "held-out truth",
        }
    }

    /// Its colour, of the palette by Okabe and Ito: warm in the source run, cool in the target run.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Role::SourceControl => "#E69F00",
            Role::TargetControl => "#0072B2",
            Role::Before => "#D55E00",
            Role::After => "#009E73",
            Role::Truth => "#222222",
        }
    }

    /// Its line pattern (SVG `stroke-dasharray`), so that colour is never the only difference.
    pub(super) fn dashes(self) -> Option<&'static str> {
        match self {
            Role::SourceControl => Some("4 3"),
            Role::Truth => Some("1.5 2.5"),
            _ => None,
        }
    }
}
