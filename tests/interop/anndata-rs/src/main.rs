//! Opens h5ad files with anndata-rs and reads every element. One line a file: what it holds, or the error.

use anndata::data::{ArrayData, HasShape};
use anndata::{AnnData, AnnDataOp, ArrayElemOp, AxisArraysOp, Backend, ElemCollectionOp};
use anndata_hdf5::H5;
use anyhow::{Context, Result, bail};

/// What anndata-rs does not read, whoever wrote it: words of its message, and what they mean.
const LIMITS: [(&str, &str); 8] = [
    ("unsupported encoding type: 'awkward-array'", "it does not know awkward arrays"),
    ("unsupported encoding type: 'rec-array'", "it does not know tables of records"),
    ("Unsupported type: Compound", "it does not know tables of records"),
    ("unsupported encoding type: 'null'", "it does not know null"),
    ("Invalid size of float datatype", "it does not know half-precision floats"),
    ("Expecting Dataset", "it does not know categories in uns"),
    ("Cannot read NullableArray into Data", "it does not know nullable columns in uns"),
    ("Minor indices are not monotonically increasing", "it refuses the order of genes in a cell that the input has"),
];

fn main() -> Result<()> {
    // anndata-rs panics where it meets an encoding it does not know; the message is told below.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut whole, mut unknown, mut failed) = (0, 0, 0);
    for path in std::env::args().skip(1) {
        let message = match std::panic::catch_unwind(|| read(&path)) {
            Ok(Ok(line)) => {
                whole += 1;
                println!("{path}\t{line}");
                continue;
            }
            Ok(Err(e)) => format!("{e:#}"),
            Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "panic".into()),
        };
        if let Some((_, why)) = LIMITS.iter().find(|(words, _)| message.contains(words)) {
            unknown += 1;
            println!("{path}\tlimit of anndata-rs: {why}");
        } else {
            failed += 1;
            println!("{path}\tFAILED: {message}");
        }
    }
    println!("{whole} read whole, {unknown} beyond the limits of anndata-rs, {failed} failed");
    if failed > 0 || whole == 0 {
        bail!("{failed} files could not be read, {whole} could");
    }
    Ok(())
}

fn read(path: &str) -> Result<String> {
    let data = AnnData::<H5>::open(H5::open(path).context("open")?).context("structure")?;
    data.read_obs().context("obs")?;
    data.read_var().context("var")?;
    for key in data.obsm().keys() {
        data.obsm().get_item::<ArrayData>(&key).with_context(|| format!("obsm/{key}"))?;
    }
    for key in data.layers().keys() {
        data.layers().get_item::<ArrayData>(&key).with_context(|| format!("layers/{key}"))?;
    }
    for key in data.uns().keys() {
        data.uns().get_item::<anndata::Data>(&key).with_context(|| format!("uns/{key}"))?;
    }
    let x = match data.x().get::<ArrayData>().context("X")? {
        None => "no X".to_owned(),
        Some(x) => {
            let kind = match &x {
                ArrayData::Array(_) => "dense",
                ArrayData::CsrMatrix(_) => "csr",
                ArrayData::CsrNonCanonical(_) => "csr with entries stored twice or out of order",
                ArrayData::CscMatrix(_) => "csc",
                ArrayData::DataFrame(_) => "table",
            };
            format!("X {kind} {:?}", x.shape())
        }
    };
    Ok(format!("{} × {}, {x}", data.n_obs(), data.n_vars()))
}
