//! Options of where counts are and what is taken of them, shared by the verbs that take counts.

use clap::Args;

use crate::cli::kit::console::Console;
use crate::data::counts::{FeatureType, Fractions, Place, Taken, Wanted};

/// Which counts are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct CountsArgs {
    /// Matrix with the counts: a layer, raw or X [default: the first of layers["counts"], raw, X that holds counts]
    #[arg(long, value_name = "NAME|raw|X", help_heading = "Data")]
    pub layer: Option<String>,
    /// Round counts with fractions, as SoupX, CellBender and EM quantification leave them, to the nearest whole numbers
    #[arg(long, help_heading = "Data")]
    pub round: bool,
    /// Features to take where var["feature_types"] tells several types: one of them, or all [default: Gene Expression]
    #[arg(long, value_name = "TYPE|all", help_heading = "Data")]
    pub feature_type: Option<String>,
}

impl CountsArgs {
    /// As the library wants them: whole numbers only, unless they are rounded.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            place: self.layer.as_deref().map(Place::named),
            fractions: if self.round { Fractions::Rounded } else { Fractions::Refused },
            features: FeatureType::named(self.feature_type.as_deref()),
        }
    }

    /// As [`CountsArgs::wanted`]; fractions are kept unless they are rounded.
    pub fn wanted_linear(&self) -> Wanted {
        let wanted = self.wanted();
        let fractions = if self.round { wanted.fractions } else { Fractions::Kept };
        Wanted { fractions, ..wanted }
    }
}

/// Says which features were left out and what was rounded.
pub(in crate::cli) fn say(taken: &Taken, console: &Console) {
    taken.remarks().iter().for_each(|r| console.say(r));
}
