//! Every fixture cut and with single bits flipped, through the program: an answer, an error, or a crash of the HDF5
//! library that is listed here; never a loop without end, never memory without bounds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::expected::{fixtures, names};
use crate::support::SCX;

/// Kilobytes of address space a process may take.
const MEMORY: u64 = 4 << 20;
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Only so many bytes are left.
    Cut(usize),
    /// One bit of a byte is turned.
    Flip(usize, u8),
}

/// Damage that crashes the HDF5 library or the crate around it, or keeps it busy for ever: file, byte, bit.
const CRASHES: &[(&str, usize, u8)] = &[];

/// Damage that crashed once: always looked at.
const MENDED: &[(&str, usize, u8)] = &[
    // The character set of the attribute `shape` of a sparse matrix: hdf5-metno 0.15 takes any byte for one of the values
    // of its enumeration when it lists attributes (SIGABRT). Attributes are asked for by name since.
    ("anndata_0.12.19.h5ad", 942, 7),
];

/// A small generator with a fixed start: the same places in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Damages spread over a file of that length; many more with SCX_LONG.
fn damages(name: &str, length: usize) -> Vec<Damage> {
    let times = if std::env::var_os("SCX_LONG").is_some() { 50 } else { 1 };
    let mut state = name.bytes().fold(7u64, |s, b| s.wrapping_mul(31).wrapping_add(u64::from(b)));
    let mut at = |n: usize| (next(&mut state) % n.max(1) as u64) as usize;
    let mut all: Vec<Damage> = [0, 7, 8, 40, 95, length - 1].into_iter().map(Damage::Cut).collect();
    all.extend((0..6 * times).map(|_| Damage::Cut(at(length))));
    // Metadata lies at the start of files; values of small ones hardly matter.
    all.extend((0..12 * times).map(|_| Damage::Flip(at(length.min(4096)), at(8) as u8)));
    all.extend((0..16 * times).map(|_| Damage::Flip(at(length), at(8) as u8)));
    all.extend(MENDED.iter().filter(|(n, ..)| *n == name).map(|(_, at, bit)| Damage::Flip(*at, *bit)));
    all
}

fn damaged(bytes: &[u8], damage: Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match damage {
        Damage::Cut(n) => bytes.truncate(n),
        Damage::Flip(at, bit) => bytes[at] ^= 1 << bit,
    }
    bytes
}

/// How the program looks into a file in bounded memory; nothing when it answers.
fn fault(verb: &str, path: &Path) -> Option<String> {
    let script = format!("ulimit -v {MEMORY}; exec \"$0\" look-inside {verb} -- \"$1\"");
    let mut child = Command::new("sh")
        .args(["-c", &script, SCX])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let text = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut out, &mut text).map(|_| text)
    });
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Some("no end".into());
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let text = text.join().unwrap().unwrap_or_default();
    let answered = text.starts_with("{\"Found\"") || text.starts_with("{\"Failed\"");
    (!answered).then(|| format!("{status}"))
}

/// All damages of all fixtures.
fn cases() -> Vec<(String, Vec<u8>, Damage)> {
    let mut all = Vec::new();
    for folder in ["h5ad", "bad/h5ad"] {
        for name in names(&fixtures().join(folder)) {
            let bytes = std::fs::read(fixtures().join(folder).join(&name)).unwrap();
            if bytes.len() > 100 {
                let damages = damages(&name, bytes.len());
                // Those of bad files are many and alike.
                let few = if folder == "h5ad" { damages.len() } else { damages.len() / 8 };
                let spread = (damages.len() / few.max(1)).max(1);
                all.extend(damages.into_iter().step_by(spread).map(|d| (name.clone(), bytes.clone(), d)));
            }
        }
    }
    all
}

#[test]
fn damaged_files_give_an_answer_or_an_error_in_bounded_time_and_memory() {
    let dir = tempfile::tempdir().unwrap();
    let cases = cases();
    assert!(cases.len() > 500, "{}", cases.len());
    let (queue, found) = (Mutex::new(cases.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((i, (name, bytes, damage))) = { queue.lock().unwrap().next() } {
                    let path: PathBuf = dir.path().join(format!("{i}_{name}"));
                    std::fs::write(&path, damaged(bytes, *damage)).unwrap();
                    for verb in ["info", "deep-check"] {
                        if let Some(how) = fault(verb, &path) {
                            found.lock().unwrap().push((name.clone(), *damage, verb, how));
                        }
                    }
                    std::fs::remove_file(&path).unwrap();
                }
            });
        }
    });
    let known = |name: &str, damage: Damage| {
        CRASHES.iter().any(|(n, at, bit)| *n == name && damage == Damage::Flip(*at, *bit))
    };
    let found = found.into_inner().unwrap();
    let new: Vec<_> = found.iter().filter(|(name, damage, ..)| !known(name, *damage)).collect();
    assert!(new.is_empty(), "{} not listed:\n{new:#?}", new.len());
}

#[test]
fn a_crash_of_the_library_is_an_error_that_names_the_file() {
    let dir = crate::support::Dir::new();
    for (name, at, bit) in CRASHES.iter().take(3) {
        let bytes = std::fs::read(fixtures().join("h5ad").join(name)).unwrap();
        dir.write("damaged.h5ad", damaged(&bytes, Damage::Flip(*at, *bit)));
        let run = dir.scx("check --deep --timeout 3 damaged.h5ad");
        run.fails(3, &["damaged.h5ad", "the HDF5 library", "copy or download it again"]);
    }
}
