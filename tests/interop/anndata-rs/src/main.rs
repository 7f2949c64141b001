//! Opens h5ad files with anndata-rs and reads every element. One line a file: what it holds, or the error.

use anndata::data::{ArrayData, HasShape};
use anndata::{AnnData, AnnDataOp, ArrayElemOp, AxisArraysOp, Backend, ElemCollectionOp};
use anndata_hdf5::H5;
use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let mut failed = 0;
    for path in std::env::args().skip(1) {
        match read(&path) {
            Ok(line) => println!("{path}\t{line}"),
            Err(e) => {
                failed += 1;
                println!("{path}\tFAILED: {e:#}");
            }
        }
    }
    if failed > 0 {
        bail!("{failed} files could not be read");
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
