//! Arrays of 32-bit numbers that lie in memory, or in a file that the system maps into it.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use memmap2::Mmap;
use serde::{Serialize, Serializer};

/// Numbers in memory, or on disk and read by the system page by page as they are asked for.
#[derive(Debug, Clone, Default)]
pub(in crate::data) struct Numbers {
    memory: Vec<u32>,
    /// They are here instead.
    disk: Option<Arc<Mmap>>,
}

impl From<Vec<u32>> for Numbers {
    fn from(memory: Vec<u32>) -> Self {
        Self { memory, disk: None }
    }
}

impl Numbers {
    /// The numbers of a file nobody else has: one without a name, of this process.
    pub(in crate::data) fn of_file(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::default());
        }
        // SAFETY: what is mapped must not change or shrink. The file has no name and is not written to after this, so
        // nobody can change it.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { memory: Vec::new(), disk: Some(Arc::new(map)) })
    }

    /// All of them in memory, to be changed.
    pub(in crate::data) fn vec(&mut self) -> &mut Vec<u32> {
        if let Some(map) = self.disk.take() {
            self.memory = words(&map).to_vec();
        }
        &mut self.memory
    }

    /// All of them in memory.
    pub(in crate::data) fn into_vec(mut self) -> Vec<u32> {
        std::mem::take(self.vec())
    }

    #[cfg(test)]
    pub(in crate::data) fn on_disk(&self) -> bool {
        self.disk.is_some()
    }
}

/// A map begins at a page, and whole numbers were written: the cast cannot fail.
fn words(map: &Mmap) -> &[u32] {
    bytemuck::cast_slice(map)
}

impl Deref for Numbers {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        self.disk.as_deref().map_or(&self.memory, words)
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Numbers {}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}
