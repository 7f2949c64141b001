//! Files as they come from the field: empty samples, CellBender, older writers, files beside a matrix.

use std::path::Path;

use scx::data::{Annotation, Column, Dataset, Uns};
use scx::io::{ReadOptions, open};

use super::{entries, fixtures};
use crate::support::{Dir, python, values};

fn read(name: &str) -> Dataset {
    open(&fixtures("tenx_field").join(name), &ReadOptions::default()).unwrap()
}

/// A folder with a copy of a fixture.
fn with(names: &[&str]) -> Dir {
    let dir = Dir::new();
    for name in names {
        std::fs::copy(fixtures("tenx_field").join(name), dir.path(name)).unwrap();
    }
    dir
}

#[test]
fn a_sample_without_cells_is_no_cells_in_every_verb() {
    let dir = with(&["empty_null.h5", "empty_multi.h5"]);
    std::fs::create_dir(dir.path("folder")).unwrap();
    dir.write("folder/barcodes.tsv", "");
    dir.write("folder/features.tsv", "ENSG00000000000\tCD3E\nENSG00000000001\tCD8A\n");
    dir.write("folder/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 0 0\n");
    for (name, genes) in [("empty_null.h5", 4), ("empty_multi.h5", 4), ("folder", 2)] {
        let info = dir.scx(&format!("info {name} --json")).ok().json();
        let info = &info["files"][0];
        assert_eq!((&info["n_obs"], &info["n_vars"]), (&0.into(), &genes.into()), "{name}");
        assert!(dir.scx(&format!("check {name} --deep")).ok().stdout.contains("ok"), "{name}");
        for (out, made) in [("o.h5ad", "o.h5ad"), ("o.h5", "o.h5"), ("o --to 10x-mtx", "o")] {
            dir.scx(&format!("convert {name} {out} --force")).ok();
            let d = dir.open(made);
            assert_eq!((d.n_obs(), d.n_vars(), entries(&d).len()), (0, genes, 0), "{name} as {out}");
        }
    }
    dir.scx("concat empty_null.h5 empty_multi.h5 folder -o all.h5ad --join outer").ok();
    let d = dir.open("all.h5ad");
    assert_eq!((d.n_obs(), d.n_vars()), (0, 4));
    if let Some(python) = python() {
        let code = "import anndata, scanpy; a = anndata.read_h5ad('o.h5ad'); b = anndata.read_h5ad('all.h5ad'); \
                    assert a.shape == (0, 2) and b.shape == (0, 4); print('ok')";
        dir.scx("convert empty_null.h5 o.h5 --force").ok();
        let code = format!("{code}; assert scanpy.read_10x_h5('o.h5').shape == (0, 4)");
        let run = std::process::Command::new(python)
            .args(["-c", &code])
            .current_dir(dir.path("folder").parent().unwrap())
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

/// Cell `i` has 10 + i where it has anything: its name tells `i`.
fn number(barcode: &str) -> f64 {
    let all = ["AAACCC-1", "AAACGA-1", "AAAGAA-1", "AAATGG-1", "CCATTA-1", "CCGTTA-1"];
    10.0 + all.iter().position(|b| *b == barcode).unwrap() as f64
}

#[test]
fn what_cellbender_learnt_of_droplets_lies_at_their_cells() {
    // Cells without a droplet: two of six, none of four, one of five.
    for (file, vector, array, gaps) in [
        ("cellbender_02.h5", "latent_cell_probability", "latent_gene_encoding", 2),
        ("cellbender_03_filtered.h5", "cell_probability", "gene_expression_encoding", 0),
        ("cellbender_03_some.h5", "cell_probability", "gene_expression_encoding", 1),
    ] {
        let d = read(file);
        let Some(Column::Numbers(v)) = d.obs.column(vector) else { panic!("{file}: {:?}", d.obs) };
        let Some(Annotation::Matrix(m)) = d.obsm.get(array) else { panic!("{file}: no {array}") };
        let rows = values(m);
        let mut missing = 0;
        for (i, name) in d.obs.index.iter().enumerate() {
            let (x, row) = (v.get(i).unwrap(), rows.row(i));
            if x.is_nan() {
                missing += 1;
                assert!(row.iter().all(|v| v.is_nan()), "{file}: {name}");
            } else {
                assert_eq!(
                    (x, row[0], row[1]),
                    (number(&name), number(&name), 10.0 - number(&name)),
                    "{file}: {name}"
                );
            }
        }
        assert_eq!(missing, gaps, "{file}");
        assert_eq!(d.var.column("ambient_expression").unwrap().text(3).unwrap(), "0.3", "{file}");
    }
    let d = read("cellbender_02.h5");
    let Some(Column::Nullable { missing, .. }) = d.obs.column("latent_count") else { panic!("no counts") };
    assert_eq!(missing.iter().filter(|m| **m).count(), 2);
    assert!(
        d.uns.contains_key("training_elbo_per_epoch") && d.uns.contains_key("contamination_fraction_params")
    );
}

#[test]
fn what_is_neither_of_cells_nor_of_genes_is_kept_in_uns_and_what_cannot_be_is_a_line() {
    let d = read("cellbender_03_filtered.h5");
    let group = |d: &Dataset, name: &str| match d.uns.get(name) {
        Some(Uns::Map(m)) => m.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(group(&d, "global_latents").contains_key("swapping_fraction_dist_params"));
    assert!(group(&d, "droplet_latents").contains_key("odd"), "of no barcode");
    assert!(matches!(&group(&d, "metadata")["learning_curve"], Uns::Map(m) if m.len() == 1));
    let dir = with(&["cellbender_03_filtered.h5"]);
    let run = dir.scx("convert cellbender_03_filtered.h5 o.h5ad --strict");
    assert_eq!(run.code, Some(1), "{run:?}");
    run.says(&["/metadata/pairs", "records of 2 fields"]);
    let run = dir.scx("check cellbender_03_filtered.h5").ok();
    assert!(run.stdout.contains("/metadata/pairs"), "{}", run.stdout);
    dir.scx("convert cellbender_03_filtered.h5 o.h5ad --force").ok();
    let back = dir.open("o.h5ad");
    assert_eq!(group(&back, "metadata").len(), group(&d, "metadata").len());
    assert_eq!(
        values(match &back.obsm["gene_expression_encoding"] {
            Annotation::Matrix(m) => m,
            _ => panic!("no matrix"),
        })
        .dim(),
        (4, 2)
    );
    let info = dir.scx("info cellbender_03_filtered.h5").ok();
    assert!(info.stdout.contains("cell_probability"), "{}", info.stdout);
}

#[test]
fn lists_that_others_shorten_are_read_with_a_warning() {
    let d = read("shortened.h5");
    let texts = |d: &Dataset, name: &str| {
        d.var.column(name).map(|c| (c.text(0).unwrap().into_owned(), c.text(3).unwrap().into_owned()))
    };
    assert_eq!(texts(&d, "gene_ids"), Some(("CD3E".into(), "CD4".into())), "names serve as ids");
    assert_eq!(texts(&d, "genome"), Some(("GRCh38".into(), "GRCh38".into())));
    assert_eq!(texts(&d, "feature_types"), None);
    assert!(d.varm.contains_key("pairs") && d.uns.contains_key("features"));
    assert!(d.changes.iter().any(|c| c.element == "features/short"), "{:?}", d.changes);
    let dir = with(&["shortened.h5"]);
    dir.scx("convert shortened.h5 o.h5ad").ok().says(&[
        "features/id: missing; the names serve as ids",
        "features/genome: one value, taken for all features",
        "features/short",
    ]);
    assert_eq!(texts(&read("lists.h5"), "gene_ids").unwrap().0, "ENSG00000000000");
    let d = read("genome_no_names.h5");
    assert_eq!(d.var.index.get(0).unwrap(), "ENSG00000000000");
    assert_eq!(texts(&d, "genome").unwrap().0, "mm10");
}

#[test]
fn features_of_every_kind_are_kept_with_what_is_known_of_them() {
    let d = read("guides.h5");
    let texts = |name: &str| {
        let column = d.var.column(name).unwrap_or_else(|| panic!("no {name}"));
        (0..4).map(|i| column.text(i).unwrap().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        texts("feature_types"),
        ["Gene Expression", "CRISPR Guide Capture", "Antibody Capture", "Unassigned Codeword"]
    );
    assert_eq!(texts("pattern"), ["", "(BC)GTTT", "^NNN(BC)", ""]);
    assert_eq!(texts("target_gene_id"), ["", "ENSG00000000000", "", ""]);
    assert_eq!(d.n_vars(), 4);
}

#[test]
fn the_missing_part_of_a_genome_is_named_and_h5ad_is_not_mentioned() {
    let dir = with(&["genome_no_barcodes.h5", "genome_no_genes.h5"]);
    for (name, part) in [("genome_no_barcodes.h5", "/mm10/barcodes"), ("genome_no_genes.h5", "/mm10/genes")] {
        for verb in ["info", "convert"] {
            let to = if verb == "convert" { "o.loom" } else { "" };
            let run = dir.scx(&format!("{verb} {name} {to}"));
            assert_eq!(run.code, Some(3), "{run:?}");
            run.says(&[part, "is missing"]);
            assert!(!run.stderr.contains("h5ad"), "{}", run.stderr);
        }
        let run = dir.scx(&format!("check {name}"));
        assert!(run.stdout.contains(part) && !run.stdout.contains("h5ad"), "{run:?}");
    }
}

#[test]
fn a_file_of_molecules_is_called_so_and_the_file_to_give_is_named() {
    let dir = with(&["molecule_info.h5"]);
    for verb in ["info molecule_info.h5", "convert molecule_info.h5 o.h5ad"] {
        let run = dir.scx(verb);
        assert_eq!(run.code, Some(3), "{run:?}");
        run.says(&["lists molecules", "filtered_feature_bc_matrix.h5"]);
        assert!(!run.stderr.contains("not an h5ad") && !run.stderr.contains("read as"), "{}", run.stderr);
    }
}

const BANNER: &str = "%%MatrixMarket matrix coordinate integer general\n";

/// A folder of Cell Ranger 3 with three features and two cells.
fn folder(dir: &Dir, name: &str) {
    std::fs::create_dir_all(dir.path(name)).unwrap();
    dir.write(&format!("{name}/matrix.mtx"), format!("{BANNER}3 2 2\n1 1 5\n3 2 7\n"));
    dir.write(
        &format!("{name}/features.tsv"),
        "E1\tA\tGene Expression\nE2\tB\tGene Expression\nE3\tC\tGene Expression\n",
    );
    dir.write(&format!("{name}/barcodes.tsv"), "AAAC-1\nCCCC-1\n");
}

#[test]
fn a_folder_around_matrices_names_them_and_one_of_them_works() {
    let dir = Dir::new();
    folder(&dir, "S1/outs/filtered_feature_bc_matrix");
    folder(&dir, "S1/outs/raw_feature_bc_matrix");
    std::fs::copy(fixtures("tenx/v3.h5"), dir.path("S1/outs/raw_feature_bc_matrix.h5")).unwrap();
    folder(&dir, "multi/outs/per_sample_outs/A/count/sample_filtered_feature_bc_matrix");
    let names = ["filtered_feature_bc_matrix", "raw_feature_bc_matrix", "raw_feature_bc_matrix.h5"]
        .map(|n| format!("S1/outs/{n}"));
    for given in ["S1/outs", "S1"] {
        for verb in ["info", "check", "convert"] {
            let to = if verb == "convert" { "o.h5ad" } else { "" };
            let run = dir.scx(&format!("{verb} {given} {to}"));
            assert_eq!(run.code, Some(3), "{run:?}");
            run.says(&names.each_ref().map(String::as_str));
            assert!(!run.stderr.contains("genome"), "{}", run.stderr);
        }
    }
    dir.refuses(
        3,
        "convert multi/outs o.h5ad",
        &["per_sample_outs/A/count/sample_filtered_feature_bc_matrix"],
    );
    dir.scx("convert S1/outs/filtered_feature_bc_matrix o.h5ad").ok();
}

#[test]
fn batches_are_called_by_the_part_of_the_path_that_differs() {
    let dir = Dir::new();
    for sample in ["S1", "S2"] {
        folder(&dir, &format!("{sample}/outs/filtered_feature_bc_matrix"));
        std::fs::copy(
            fixtures("tenx/v3.h5"),
            dir.path(&format!("{sample}/outs/filtered_feature_bc_matrix.h5")),
        )
        .unwrap();
    }
    for end in ["", ".h5"] {
        let f = format!("outs/filtered_feature_bc_matrix{end}");
        dir.scx(&format!("concat S1/{f} S2/{f} -o o.h5ad --on-duplicate prefix --force")).ok();
        let d = dir.open("o.h5ad");
        assert_eq!(d.obs.column("batch").unwrap().groups().unwrap().1, ["S1", "S2"]);
    }
}

#[test]
fn layouts_of_other_tools_are_called_by_their_names_with_what_to_do() {
    let layouts: &[(&str, &[&str], &[&str])] = &[
        (
            "parse",
            &["count_matrix.mtx", "all_genes.csv", "cell_metadata.csv"],
            &["Parse Biosciences", "count_matrix.mtx"],
        ),
        ("old", &["DGE.mtx", "all_genes.csv", "cell_metadata.csv"], &["Parse Biosciences"]),
        (
            "fry",
            &["quants_mat.mtx.gz", "quants_mat_rows.txt", "quants_mat_cols.txt"],
            &["alevin-fry", "pyroe"],
        ),
        (
            "kb",
            &["cells_x_genes.mtx", "cells_x_genes.barcodes.txt", "cells_x_genes.genes.txt"],
            &["kallisto", "kb count with --h5ad"],
        ),
        (
            "nac",
            &["cells_x_genes.mature.mtx", "cells_x_genes.nascent.mtx", "cells_x_genes.barcodes.txt"],
            &["kallisto"],
        ),
        (
            "atac",
            &["matrix.mtx", "peaks.bed", "barcodes.tsv"],
            &["Cell Ranger ATAC", "filtered_peak_bc_matrix.h5"],
        ),
        (
            "velo",
            &["spliced.mtx", "unspliced.mtx", "ambiguous.mtx", "features.tsv", "barcodes.tsv"],
            &["STARsolo", "give spliced.mtx"],
        ),
    ];
    for (name, files, says) in layouts {
        let dir = Dir::new();
        std::fs::create_dir(dir.path(name)).unwrap();
        for file in *files {
            dir.write(&format!("{name}/{file}"), format!("{BANNER}1 1 1\n1 1 1\n"));
        }
        for verb in ["info", "convert"] {
            let to = if verb == "convert" { "o.h5ad" } else { "" };
            let run = dir.scx(&format!("{verb} {name} {to}"));
            assert_eq!(run.code, Some(3), "{run:?}");
            run.says(says);
        }
    }
    // One of the matrices of STARsolo is read as before.
    let dir = Dir::new();
    folder(&dir, "Velocyto/raw");
    for name in ["spliced", "unspliced"] {
        std::fs::copy(dir.path("Velocyto/raw/matrix.mtx"), dir.path(&format!("Velocyto/raw/{name}.mtx")))
            .unwrap();
    }
    std::fs::remove_file(dir.path("Velocyto/raw/matrix.mtx")).unwrap();
    dir.scx("convert Velocyto/raw/unspliced.mtx o.h5ad").ok();
    assert_eq!(dir.open("o.h5ad").n_obs(), 2);
    dir.write("Velocyto/raw/matrix.mtx", format!("{BANNER}3 2 1\n1 1 1 2 3\n"));
    dir.refuses(3, "convert Velocyto/raw o2.h5ad", &["holds 5 words", "STARsolo before 2.7.9"]);
}

#[test]
fn what_is_no_text_in_a_folder_is_called_by_its_name_and_odd_text_is_read() {
    let dir = Dir::new();
    folder(&dir, "f");
    let text = dir.bytes("f/matrix.mtx");
    let mut tar = vec![0u8; 1024];
    tar[..10].copy_from_slice(b"matrix.mtx");
    tar[257..262].copy_from_slice(b"ustar");
    tar.extend(&text);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.iter().flat_map(|b| [*b, 0])).collect();
    for (file, bytes, says) in [
        ("matrix.mtx", &tar[..], "tar archive"),
        ("barcodes.tsv", &tar[..], "tar archive"),
        ("features.tsv", b"PK\x03\x04....", "zip archive"),
        ("matrix.mtx", &utf16[..], "UTF-16"),
        ("barcodes.tsv", &utf16[..], "UTF-16"),
    ] {
        folder(&dir, "f");
        dir.write(&format!("f/{file}"), bytes);
        dir.refuses(3, "convert f o.h5ad", &[&format!("f/{file}"), says]);
    }
    folder(&dir, "f");
    for file in ["matrix.mtx", "barcodes.tsv", "features.tsv"] {
        let text = String::from_utf8(dir.bytes(&format!("f/{file}"))).unwrap();
        dir.write(&format!("f/{file}"), text.replace('\n', "\r\n"));
    }
    dir.scx("convert f crlf.h5ad").ok();
    let d = dir.open("crlf.h5ad");
    assert_eq!((d.obs.index.get(1).unwrap().as_ref(), d.var.index.get(2).unwrap().as_ref()), ("CCCC-1", "C"));
    assert!(Path::new(&d.source.path).is_file());
}
