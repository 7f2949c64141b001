//! AnnData's h5ad files.

pub(super) fn probe(_: &super::Probe) -> super::Fit {
    super::Fit::No
}
pub(super) fn read(
    p: &std::path::Path,
    _: &super::ReadLimits,
) -> Result<crate::data::Dataset, super::ReadError> {
    Err(super::ReadError::unsupported(p, ""))
}
pub(super) fn write(_: &crate::data::Dataset, _: &std::path::Path) -> Result<(), super::WriteError> {
    Ok(())
}
pub(super) fn annotate(
    _: &crate::data::Dataset,
    _: &super::Additions,
    _: &std::path::Path,
) -> Result<(), super::WriteError> {
    Ok(())
}
