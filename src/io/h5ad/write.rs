//! Writing.
use crate::data::Dataset;
use crate::io::WriteError;
use std::path::Path;
/// x
pub fn write(_d: &Dataset, _p: &Path) -> Result<(), WriteError> {
    Ok(())
}
