//! One annotated file with several runs, each moved to the reference.

use std::process::Command;

use ndarray::{Array2, Axis};
use scx::data::{Column, DType, Layout, Matrix, Values};
use scx::simulate::MARKERS;

use crate::support::{self, Dir, RUNS, layer, x};

const LAYER: &str = "scx_correct";

fn rows(x: &Array2<f64>, rows: &[usize]) -> Array2<f64> {
    x.select(Axis(0), rows)
}

/// Only the markers of runs other than the reference may differ from the stored values, and they do.
fn assert_moved(was: &Array2<f64>, is: &Array2<f64>, runs: &support::Runs, reference: &str) {
    for run in ["run1", "run2", "run3"] {
        let cells = runs.cells(run);
        let (a, b) = (rows(was, &cells), rows(is, &cells));
        if run == reference {
            assert_eq!(a, b, "the reference has changed");
            continue;
        }
        assert_eq!(a.column(MARKERS.len()), b.column(MARKERS.len()), "{run}: Time has changed");
        for (j, marker) in MARKERS.iter().enumerate() {
            assert_ne!(a.column(j), b.column(j), "{run}: {marker} was not moved");
        }
    }
}

#[test]
fn every_run_moves_to_the_first_category_and_x_stays() {
    let (dir, runs) = (support::annotated(), support::runs());
    let run = dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    run.says(&["35 markers (var[\"marker\"] is true)", "reference run: run1", "wrote o.h5ad"]);
    assert!(
        run.stdout.contains("run run2: 270 cells") && run.stdout.contains("run run3: 220 cells"),
        "{}",
        run.stdout
    );
    let was = x(&dir, "runs.h5ad");
    assert_eq!(was, x(&dir, "o.h5ad"));
    assert_moved(&was, &layer(&dir, "o.h5ad", LAYER), &runs, "run1");
    let (a, b) = (dir.open("runs.h5ad"), dir.open("o.h5ad"));
    assert_eq!((a.obs, a.var), (b.obs, b.var));
    assert_eq!(dir.names(), ["o.h5ad", "runs.h5ad"]);
}

#[test]
fn another_reference_and_a_value_of_a_text_column_can_be_asked_for() {
    let (dir, runs) = (support::annotated(), support::runs());
    let run = dir.scx(
        "correct runs.h5ad --batch-key run --spikein kind=control --reference run3 -o o.h5ad --steps 20",
    );
    run.ok().says(&["reference run: run3"]);
    let was = x(&dir, "runs.h5ad");
    assert_moved(&was, &layer(&dir, "o.h5ad", LAYER), &runs, "run3");
    // The same cells said in two ways.
    dir.scx(&format!("{RUNS} --reference run3 -o p.h5ad --steps 20")).ok();
    assert_eq!(layer(&dir, "o.h5ad", LAYER), layer(&dir, "p.h5ad", LAYER));
}

#[test]
fn the_result_goes_into_x_when_asked_and_no_layer_is_made() {
    let (dir, runs) = (support::annotated(), support::runs());
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20 --into-x")).ok();
    let (was, is) = (x(&dir, "runs.h5ad"), x(&dir, "o.h5ad"));
    assert_moved(&was, &is, &runs, "run1");
    assert!(dir.open("o.h5ad").layers.is_empty());
    dir.scx(&format!("{RUNS} -o p.h5ad --steps 20")).ok();
    assert_eq!(is, layer(&dir, "p.h5ad", LAYER));
}

/// Values of a dense run, for comparison with other ways to store the same numbers.
fn dense_result(dir: &Dir, runs: &support::Runs) -> Array2<f64> {
    dir.save("dense.h5ad", &runs.dataset(Some(runs.dense())));
    dir.scx("correct dense.h5ad --batch-key run --spikein is_control -o dense_out.h5ad --steps 20").ok();
    layer(dir, "dense_out.h5ad", LAYER)
}

#[test]
fn sparse_and_whole_number_matrices_give_the_values_of_the_dense_one() {
    let (dir, runs) = (Dir::new(), support::runs());
    let expected = dense_result(&dir, &runs);
    for (name, matrix) in
        [("csr", runs.sparse(Layout::Csr)), ("csc", runs.sparse(Layout::Csc)), ("integers", runs.integers())]
    {
        dir.save("runs.h5ad", &runs.dataset(Some(matrix.clone())));
        dir.scx(&format!("{RUNS} -o o.h5ad --steps 20 --force")).ok();
        let out = dir.open("o.h5ad");
        let stored = out.x.as_ref().unwrap();
        assert_eq!((stored.layout(), stored.dtype()), (matrix.layout(), matrix.dtype()), "{name}");
        assert_eq!(support::values(stored), support::values(&matrix), "{name}: X has changed");
        assert_eq!(layer(&dir, "o.h5ad", LAYER), expected, "{name}");
        // Whole numbers cannot hold the result: the new matrix must not be rounded.
        dir.scx(&format!("{RUNS} -o p.h5ad --steps 20 --force --into-x")).ok();
        assert_eq!(x(&dir, "p.h5ad"), expected, "{name} --into-x");
    }
}

#[test]
fn double_precision_stays_double_and_reference_values_keep_every_bit() {
    let (dir, runs) = (Dir::new(), support::runs());
    let (n, m) = runs.values.dim();
    let wide: Vec<f64> = runs.values.iter().map(|v| f64::from(*v) + 1e-9).collect();
    let matrix = Matrix::Dense(scx::data::Dense::new(n, m, Values::F64(wide)).unwrap());
    dir.save("runs.h5ad", &runs.dataset(Some(matrix)));
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    let out = dir.open("o.h5ad");
    assert_eq!(out.layers[LAYER].dtype(), DType::F64);
    assert_moved(&x(&dir, "runs.h5ad"), &layer(&dir, "o.h5ad", LAYER), &runs, "run1");
}

#[test]
fn layers_are_chosen_by_name_or_because_there_is_only_one() {
    let (dir, runs) = (Dir::new(), support::runs());
    let mut d = runs.dataset(None);
    d.layers.insert("counts".into(), runs.dense());
    dir.save("runs.h5ad", &d);
    let run = dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    run.says(&["X is absent", "counts"]);
    assert_moved(&layer(&dir, "runs.h5ad", "counts"), &layer(&dir, "o.h5ad", LAYER), &runs, "run1");
    assert_eq!(layer(&dir, "runs.h5ad", "counts"), layer(&dir, "o.h5ad", "counts"));
    assert!(dir.open("o.h5ad").x.is_none());

    d.layers.insert("other".into(), runs.integers());
    dir.save("runs.h5ad", &d);
    let says = ["runs.h5ad", "X is absent", "counts, other", "--layer"];
    dir.refuses(2, &format!("{RUNS} -o p.h5ad --steps 20"), &says);
    dir.scx(&format!("{RUNS} -o p.h5ad --steps 20 --layer other")).ok();
    assert_eq!(layer(&dir, "o.h5ad", LAYER), layer(&dir, "p.h5ad", LAYER));
    dir.refuses(2, &format!("{RUNS} -o q.h5ad --layer cuonts"), &["no layer cuonts", "did you mean counts?"]);

    d.layers.clear();
    dir.save("runs.h5ad", &d);
    dir.refuses(3, &format!("{RUNS} -o q.h5ad"), &["runs.h5ad", "X is absent", "no layer"]);
}

#[test]
fn a_second_run_adds_its_record_and_info_shows_both() {
    let dir = support::annotated();
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    let again = "correct o.h5ad --batch-key run --spikein is_control --steps 20 --again";
    dir.scx(&format!("{again} -o p.h5ad --method ambient")).ok();
    let info = dir.scx("info p.h5ad").ok();
    let history: Vec<&str> = info.stdout.lines().filter(|l| l.contains("history:")).collect();
    assert_eq!(history.len(), 2, "{}", info.stdout);
    assert!(history[0].contains("neuron-edit") && history[1].contains("ambient"), "{history:?}");
    let json = dir.scx("info p.h5ad --json").ok().json();
    let records = json["files"][0]["history"].as_array().unwrap().clone();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["settings"]["method"], "ambient");
    assert_eq!(records[1]["inputs"][0]["name"], "o.h5ad");
    let text = records[0].to_string();
    assert!(!text.contains("threads") && !text.contains(dir.path("").to_str().unwrap()), "{text}");
    // FCS keeps its history in a keyword.
    let dir = support::files();
    dir.scx(&format!("{} -o o.fcs --steps 20", support::FILES)).ok();
    dir.scx("correct --spikein c1.fcs c2.fcs --sample o.fcs -o p.fcs --steps 20 --method ambient --again")
        .ok();
    let info = dir.scx("info p.fcs").ok();
    assert_eq!(info.stdout.matches("history:").count(), 2, "{}", info.stdout);
}

#[test]
fn a_held_out_column_is_scored_and_its_reference_cells_teach_nothing() {
    let (dir, runs) = (support::annotated(), support::runs());
    let run = dir.scx(&format!("{RUNS} --holdout held -o o.h5ad --steps 20")).ok();
    assert!(run.stdout.contains("r_true") && run.stdout.contains("run run3: 90 cells"), "{}", run.stdout);
    // Other values in the held-out cells of the reference: everything else must stay.
    let mut other = support::runs();
    let held = other.obs.column("held").unwrap().clone();
    let Column::Numbers(Values::Bool(held)) = held else { panic!("held") };
    for i in runs.cells("run1").into_iter().filter(|&i| held[i]) {
        other.values.row_mut(i).mapv_inplace(|v| (v * 3.0 + 11.0).round());
    }
    dir.save("runs.h5ad", &other.dataset(Some(other.dense())));
    let again = dir.scx(&format!("{RUNS} --holdout held -o p.h5ad --steps 20")).ok();
    assert_ne!(run.stdout, again.stdout);
    let moved: Vec<usize> = ["run2", "run3"].iter().flat_map(|r| runs.cells(r)).collect();
    let of = |name| rows(&layer(&dir, name, LAYER), &moved);
    assert_eq!(of("o.h5ad"), of("p.h5ad"));
}

#[test]
fn columns_runs_and_values_that_are_not_there_are_named_with_the_nearest() {
    let dir = support::annotated();
    let form = "correct runs.h5ad -o o.h5ad --steps 20";
    dir.refuses(
        2,
        &format!("{form} --batch-key rum --spikein is_control"),
        &["runs.h5ad", "no column rum in obs", "did you mean run?", "is_control"],
    );
    dir.refuses(2, &format!("{form} --batch-key run --spikein is_contrl"), &["did you mean is_control?"]);
    dir.refuses(
        2,
        &format!("{form} --batch-key run --spikein kind=controll"),
        &["kind", "did you mean control?"],
    );
    dir.refuses(2, &format!("{form} --batch-key run --spikein kind"), &["kind", "--spikein kind=VALUE"]);
    dir.refuses(2, &format!("{RUNS} -o o.h5ad --reference run22"), &["no run run22", "did you mean run2?"]);
    // A category nobody uses is no run.
    dir.refuses(2, &format!("{RUNS} -o o.h5ad --reference spare"), &["no run spare", "run1, run2, run3"]);
    dir.refuses(2, &format!("{RUNS} -o o.h5ad --holdout hold"), &["no column hold", "did you mean held?"]);
}

#[test]
fn a_run_without_spike_ins_is_wrong_usage_and_one_with_few_is_bad_input() {
    let (dir, mut runs) = (Dir::new(), support::runs());
    let of_run3: Vec<usize> = runs.cells("run3");
    let Column::Numbers(Values::Bool(all)) = runs.obs.column("is_control").unwrap().clone() else { panic!() };
    let keep = |runs: &mut support::Runs, n: usize| {
        let mut flags = all.clone();
        let theirs: Vec<usize> = of_run3.iter().copied().filter(|&i| all[i]).collect();
        theirs.iter().skip(n).for_each(|&i| flags[i] = false);
        for (name, column) in &mut runs.obs.columns {
            if name == "is_control" {
                *column = Column::Numbers(Values::Bool(flags.clone()));
            }
        }
        dir.save("runs.h5ad", &runs.dataset(Some(runs.dense())));
    };
    keep(&mut runs, 0);
    dir.refuses(2, &format!("{RUNS} -o o.h5ad --steps 20"), &["runs.h5ad", "run run3 has no spike-in cells"]);
    keep(&mut runs, 19);
    dir.refuses(3, &format!("{RUNS} -o o.h5ad --steps 20"), &["run3", "19 cells", "at least 20"]);
    keep(&mut runs, 20);
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok().says(&["warning: runs.h5ad", "run3", "20 cells"]);
}

#[test]
fn python_opens_the_result_and_sees_the_same_values() {
    let Some(python) = support::python() else { return };
    let dir = support::annotated();
    dir.scx(&format!("{RUNS} -o o.h5ad --steps 20")).ok();
    let code = "import anndata, json, numpy as np\n\
                a, b = anndata.read_h5ad('runs.h5ad'), anndata.read_h5ad('o.h5ad')\n\
                assert np.array_equal(a.X, b.X) and a.obs.equals(b.obs) and a.var.equals(b.var)\n\
                assert list(b.obs['run'].cat.categories) == ['run1', 'run2', 'spare', 'run3']\n\
                record = json.loads(list(b.uns['scx']['log'].values())[0])\n\
                assert record['verb'] == 'correct', record\n\
                moved = np.asarray(b.layers['scx_correct'], dtype='<f8')\n\
                assert (b[b.obs['run'] == 'run1'].layers['scx_correct'] == b[b.obs['run'] == 'run1'].X).all()\n\
                moved.tofile('values.f8')\n";
    dir.write("look.py", code);
    let out = Command::new(python).arg("look.py").current_dir(dir.path("")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let bytes = dir.bytes("values.f8");
    let seen: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert!(layer(&dir, "o.h5ad", LAYER).iter().eq(seen.iter()));
}
