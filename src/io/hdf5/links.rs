//! Links that lead nowhere: where to, and what to do about it.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::raw::link_value;
use super::{Source, has_magic};
use crate::io::error::ReadError;

/// A link that is not the object itself.
#[derive(Debug, PartialEq)]
enum Link {
    /// To a place in the same file.
    Soft(String),
    /// To a place in another file.
    External { file: String, object: String },
}

impl Link {
    /// The member `name` of a group, when it is such a link.
    fn of(group: &Group, name: &str) -> Option<Self> {
        Self::parse(&link_value(group, name)?)
    }

    /// The bytes the library gives: a text for a soft link; a byte 0 and two texts for an external one.
    fn parse(value: &[u8]) -> Option<Self> {
        let mut texts = value.split(|b| *b == 0).map(|t| String::from_utf8_lossy(t).into_owned());
        match texts.next()? {
            soft if !soft.is_empty() => Some(Link::Soft(soft)),
            _ => Some(Link::External { file: texts.next()?, object: texts.next()? }),
        }
    }
}

impl Source {
    /// Why a member of a group that is listed cannot be opened: its link leads nowhere, or the library's own words.
    pub(super) fn unopened(&self, group: &Group, name: &str, e: &hdf5::Error) -> ReadError {
        let at = format!("{}/{name}", group.name().trim_end_matches('/'));
        let remove = format!("or remove the link (in Python: del h5py.File(FILE, \"r+\")[{at:?}])");
        let what = match Link::of(group, name) {
            None => return self.library(&at, e),
            Some(Link::Soft(to)) => {
                format!("is a link to {to}, and there is no such element: write {to} anew, {remove}")
            }
            Some(Link::External { file, object }) => {
                let beside = self.path.parent().unwrap_or(Path::new("")).join(&file);
                let found = [beside.as_path(), Path::new(&file)].into_iter().find(|p| p.is_file());
                match found {
                    None => {
                        format!(
                            "is a link to {object} in the file {file}, which is missing: put it there, {remove}"
                        )
                    }
                    Some(f) if has_magic(f) => format!(
                        "is a link to {object} in the file {file}, which cannot be opened there: give that file this \
                         element, {remove}"
                    ),
                    Some(_) => {
                        format!(
                            "is a link to {object} in {file}, which is no HDF5 file: put the right one there, {remove}"
                        )
                    }
                }
            }
        };
        self.malformed(at, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_links_are_told_by_their_bytes() {
        assert_eq!(Link::parse(b"/obsm/X\0\0"), Some(Link::Soft("/obsm/X".into())));
        let external = Link::External { file: "a.h5".into(), object: "/X".into() };
        assert_eq!(Link::parse(b"\0a.h5\0/X\0\0"), Some(external));
        assert_eq!(Link::parse(b""), None);
    }
}
