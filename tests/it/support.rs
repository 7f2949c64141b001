//! The program in a folder of its own, and small experiments for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use ndarray::Array2;
use scx::data::{Categorical, Categories, Column, Dataset, Dense, Frame, Index, Matrix, Sparse, Values};
use scx::io::{self, Format, ReadOptions, WriteOptions};
use scx::rng::Seed;
use scx::simulate::{self, CytometrySettings, Experiment, MARKERS, SimulatedCells};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const SCX: &str = env!("CARGO_BIN_EXE_scx");

/// What a run of the program left on its streams.
#[derive(Debug)]
pub(crate) struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub(crate) fn new(out: &Output) -> Self {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let run = Self { code: out.status.code(), stdout: text(&out.stdout), stderr: text(&out.stderr) };
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// It must have succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// It must have ended with this code and one error, on stderr alone, that says all of these.
    pub(crate) fn fails(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "{}", self.stderr);
        let errors: Vec<&str> = self.stderr.lines().filter(|l| l.starts_with("error:")).collect();
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        self.says(says);
        // People know their files, not the temporary ones; and system errors must not be shown raw.
        assert!(!self.stderr.contains(".scx-") && !self.stderr.contains("Os {"), "{}", self.stderr);
        self
    }

    /// Its stderr must hold all of these.
    pub(crate) fn says(&self, says: &[&str]) {
        for phrase in says {
            assert!(self.stderr.contains(phrase), "no \"{phrase}\" in: {}", self.stderr);
        }
    }

    /// The one JSON object on stdout.
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).expect("one JSON object");
        assert_eq!(value["schema_version"], 1);
        value
    }
}

/// A folder that is removed at the end, the program's current directory.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn save(&self, name: &str, dataset: &Dataset) {
        let format = if name.ends_with(".h5ad") { Format::H5ad } else { Format::Fcs };
        io::save(dataset, format, &self.path(name), true, &WriteOptions::default()).unwrap();
    }

    pub(crate) fn open(&self, name: &str) -> Dataset {
        io::open(&self.path(name), &ReadOptions::default()).unwrap()
    }

    /// Everything in the folder: names of files with their bytes, names of folders and links without.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(at: &Path, base: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                let plain = path.symlink_metadata().unwrap().is_file();
                let bytes = if plain { fs::read(&path).unwrap_or_default() } else { Vec::new() };
                out.insert(path.strip_prefix(base).unwrap().to_owned(), bytes);
                if path.is_dir() && !path.is_symlink() {
                    walk(&path, base, out);
                }
            }
        }
        let mut out = BTreeMap::new();
        walk(self.0.path(), self.0.path(), &mut out);
        out
    }

    /// The names in the folder, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        self.contents().into_keys().map(|p| p.to_string_lossy().into_owned()).collect()
    }

    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(SCX);
        command.args(args.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program; arguments are separated by blanks.
    pub(crate) fn scx(&self, args: &str) -> Run {
        Run::new(&self.command(args).output().unwrap())
    }

    /// Runs a line of the shell with the program as `$SCX`.
    pub(crate) fn shell(&self, line: &str) -> Run {
        let mut sh = Command::new("sh");
        sh.args(["-c", line]).env("SCX", SCX).current_dir(self.0.path()).stdin(Stdio::null());
        Run::new(&sh.output().unwrap())
    }

    /// The program must refuse, saying all of these, and leave the folder as it was to the byte.
    pub(crate) fn refuses(&self, code: i32, args: &str, says: &[&str]) {
        let before = self.contents();
        self.scx(args).fails(code, says);
        self.is_as(&before);
    }

    /// Nothing may have changed since.
    pub(crate) fn is_as(&self, before: &BTreeMap<PathBuf, Vec<u8>>) {
        let after = self.contents();
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        for (name, bytes) in before {
            assert!(after[name] == *bytes, "{} has changed", name.display());
        }
    }
}

/// The controls and the sample of every test in separate files.
pub(crate) const FILES: &str = "correct --spikein c1.fcs c2.fcs --sample s.fcs";

/// The annotated file of every test.
pub(crate) const RUNS: &str = "correct runs.h5ad --batch-key run --spikein is_control";

/// A small experiment, simulated once.
pub(crate) fn experiment() -> &'static Experiment {
    static ONE: OnceLock<Experiment> = OnceLock::new();
    ONE.get_or_init(|| simulate::experiment(CytometrySettings { control: 150, sample: 120 }, Seed(3)))
}

/// A folder with `c1.fcs c2.fcs` (controls), `d1.fcs d2.fcs` (second controls), `s.fcs` and `t.fcs` (samples).
pub(crate) fn files() -> Dir {
    let (dir, e) = (Dir::new(), experiment());
    for (name, cells) in [
        ("c1.fcs", &e.control[0]),
        ("c2.fcs", &e.control[1]),
        ("d1.fcs", &e.second_control[0]),
        ("d2.fcs", &e.second_control[1]),
        ("s.fcs", &e.sample[0]),
        ("t.fcs", &e.sample[1]),
    ] {
        dir.save(name, &cells.dataset());
    }
    dir
}

/// Cells with one value changed: cell, marker, value.
pub(crate) fn with_value(cells: &SimulatedCells, cell: usize, marker: &str, value: f32) -> Dataset {
    let mut cells = cells.clone();
    let column = MARKERS.iter().position(|m| *m == marker).unwrap();
    cells.values[(cell, column)] = value;
    cells.dataset()
}

/// The first cells only.
pub(crate) fn first(cells: &SimulatedCells, n: usize) -> Dataset {
    SimulatedCells {
        values: cells.values.slice(ndarray::s![..n, ..]).to_owned(),
        population: cells.population[..n].to_vec(),
    }
    .dataset()
}

/// Three runs with controls, second controls and samples in one table, cells in mixed order; obs has `run` (a category
/// with an unused value), `is_control` and `held` (booleans) and `kind` (text).
pub(crate) struct Runs {
    pub obs: Frame,
    pub var: Frame,
    pub values: Array2<f32>,
}

pub(crate) fn runs() -> Runs {
    let e = experiment();
    let other = simulate::experiment(CytometrySettings { control: 130, sample: 90 }, Seed(4));
    let kinds = ["control", "second", "sample"];
    let run = |k: usize, of: [&SimulatedCells; 3], gain: f32| {
        let each =
            of.into_iter().zip(kinds).map(move |(c, kind)| (k, kind, c.values.mapv(|v| (v * gain).round())));
        each.collect::<Vec<_>>()
    };
    let mut parts = run(0, [&e.control[1], &e.second_control[1], &e.sample[1]], 1.0);
    parts.extend(run(1, [&e.control[0], &e.second_control[0], &e.sample[0]], 1.0));
    parts.extend(run(3, [&other.control[1], &other.second_control[1], &other.sample[1]], 0.7));
    let n: usize = parts.iter().map(|p| p.2.nrows()).sum();
    let (mut code, mut kind) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (k, name, values) in &parts {
        code.extend(vec![*k as i32; values.nrows()]);
        kind.extend(vec![(*name).to_owned(); values.nrows()]);
        rows.extend(values.rows().into_iter().map(|r| r.to_vec()));
    }
    // 601 is prime and no divisor of n, so that every cell comes once.
    let order: Vec<usize> = (0..n).map(|i| i * 601 % n).collect();
    let kind: Vec<String> = order.iter().map(|&i| kind[i].clone()).collect();
    let run = Categorical {
        codes: order.iter().map(|&i| code[i]).collect(),
        categories: Categories::Strings(["run1", "run2", "spare", "run3"].map(String::from).to_vec()),
        ordered: false,
    };
    let is = |what: &str| Column::Numbers(Values::Bool(kind.iter().map(|k| k == what).collect()));
    let obs = Frame::new(Index::names((0..n).map(|i| format!("cell{i}")).collect()))
        .with("run", Column::Categorical(run))
        .with("is_control", is("control"))
        .with("held", is("second"))
        .with("kind", Column::Strings(kind.clone()));
    let m = MARKERS.len() + 1;
    let mut names: Vec<String> = MARKERS.iter().map(|s| (*s).to_owned()).collect();
    names.push("Time".into());
    let marker = (0..m).map(|j| j + 1 < m).collect();
    let var = Frame::new(Index::names(names)).with("marker", Column::Numbers(Values::Bool(marker)));
    let values = Array2::from_shape_fn((n, m), |(i, j)| if j + 1 < m { rows[order[i]][j] } else { i as f32 });
    Runs { obs, var, values }
}

impl Runs {
    /// X as dense single precision.
    pub(crate) fn dense(&self) -> Matrix {
        let (n, m) = self.values.dim();
        Matrix::Dense(Dense::new(n, m, Values::F32(self.values.iter().copied().collect())).unwrap())
    }

    /// X as dense whole numbers.
    pub(crate) fn integers(&self) -> Matrix {
        let (n, m) = self.values.dim();
        Matrix::Dense(Dense::new(n, m, Values::I32(self.values.iter().map(|v| *v as i32).collect())).unwrap())
    }

    /// X compressed along rows or columns.
    pub(crate) fn sparse(&self, layout: scx::data::Layout) -> Matrix {
        let by_row = layout == scx::data::Layout::Csr;
        let lines = if by_row { self.values.clone() } else { self.values.t().to_owned() };
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for line in lines.rows() {
            for (j, v) in line.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                indices.push(u32::try_from(j).unwrap());
                values.push(*v);
            }
            indptr.push(indices.len() as u64);
        }
        Matrix::Sparse(Sparse::new(layout, self.values.dim(), indptr, indices, Values::F32(values)).unwrap())
    }

    pub(crate) fn dataset(&self, x: Option<Matrix>) -> Dataset {
        let mut d = Dataset::new(self.obs.clone(), self.var.clone());
        d.x = x;
        d
    }

    /// The cells of a run.
    pub(crate) fn cells(&self, run: &str) -> Vec<usize> {
        let column = self.obs.column("run").unwrap();
        (0..self.obs.len()).filter(|&i| column.text(i).as_deref() == Some(run)).collect()
    }
}

/// A folder with `runs.h5ad`.
pub(crate) fn annotated() -> Dir {
    let (dir, runs) = (Dir::new(), runs());
    dir.save("runs.h5ad", &runs.dataset(Some(runs.dense())));
    dir
}

/// All values of a matrix.
pub(crate) fn values(m: &Matrix) -> Array2<f64> {
    let (n, g) = m.shape();
    let mut out = Array2::zeros((n, g));
    m.columns(&(0..g).collect::<Vec<_>>(), &mut |start, block| {
        out.slice_mut(ndarray::s![start..start + block.nrows(), ..]).assign(&block);
        Ok(())
    })
    .unwrap();
    out
}

/// X of a file.
pub(crate) fn x(dir: &Dir, name: &str) -> Array2<f64> {
    values(dir.open(name).x.as_ref().unwrap())
}

/// A layer of a file.
pub(crate) fn layer(dir: &Dir, name: &str, layer: &str) -> Array2<f64> {
    values(dir.open(name).layers.get(layer).unwrap_or_else(|| panic!("{name} has no layer {layer}")))
}

/// A Python with anndata, or nothing: then the test says that it was skipped.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("SCX_PYTHON").ok();
    if python.is_none() {
        println!("skipped: SCX_PYTHON is not set");
    }
    python
}

/// A real file, or nothing when SCX_REAL_DATA is not set. A missing file fails.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let Ok(root) = std::env::var("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return None;
    };
    let path = Path::new(&root).join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    Some(path)
}

/// Opens an HDF5 file to change it. Without a lock: another test that starts a program may hold a copy of it for a moment.
pub(crate) fn hdf5_to_change(path: impl AsRef<std::path::Path>) -> hdf5_metno::File {
    unlocked().open_as(path, hdf5_metno::OpenMode::ReadWrite).unwrap()
}

/// Makes a new HDF5 file, as [`hdf5_to_change`] opens one.
pub(crate) fn new_hdf5(path: impl AsRef<std::path::Path>) -> hdf5_metno::File {
    unlocked().open_as(path, hdf5_metno::OpenMode::Create).unwrap()
}

fn unlocked() -> hdf5_metno::FileBuilder {
    let mut options = hdf5_metno::File::with_options();
    options.with_fapl(|p| p.file_locking(false));
    options
}
