//! Every error that suggests an option or a command is provoked, and its advice is followed: it must help.

use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};

use crate::generate::{dense, toy};
use crate::support::{self, Dir, FILES, RUNS, Run};

/// The word behind an option in a message.
fn advised<'a>(message: &'a str, option: &str) -> &'a str {
    let at = message.find(option).unwrap_or_else(|| panic!("no {option} in {message}"));
    let rest = message[at + option.len()..].trim_start();
    rest.split([' ', ';', '\n', ')']).next().unwrap()
}

/// A line that is refused with this code and says this.
fn refused(dir: &Dir, code: i32, line: &str, says: &[&str]) -> Run {
    dir.refuses(code, line, says);
    dir.scx(line)
}

/// A data set of these cells and genes with small counts in X.
fn plain(cells: &[&str], genes: &[&str]) -> Dataset {
    let names = |n: &[&str]| Frame::new(Index::names(n.iter().map(|n| (*n).to_owned()).collect()));
    let mut d = Dataset::new(names(cells), names(genes));
    let n = cells.len() * genes.len();
    let values = Values::F32((0..n).map(|i| (i % 5) as f32).collect());
    d.x = Some(Matrix::Dense(Dense::new(cells.len(), genes.len(), values).unwrap()));
    d
}

/// The sample of the experiment without some markers, and with others called differently in other channels.
fn panel(dir: &Dir, to: &str, leave: &[&str], rename: &[(&str, &str)]) {
    let d = support::experiment().sample[0].dataset();
    let stains = d.var.column("marker").cloned().unwrap();
    let stain = |i: usize| stains.text(i).unwrap().into_owned();
    let keep: Vec<usize> = (0..d.n_vars()).filter(|&i| !leave.contains(&stain(i).as_str())).collect();
    let take = scx::data::Take::entries(d.n_vars(), &keep).unwrap();
    let mut out = d.select(&scx::data::Take::all(d.n_obs()), &take).unwrap();
    let new = |i: usize| rename.iter().find(|r| r.0 == stain(i)).map(|r| r.1.to_owned());
    let channel = |i: usize| match new(i) {
        Some(_) => format!("Other{i}"),
        None => d.var.index.get(i).unwrap().into_owned(),
    };
    let channels: Vec<String> = keep.iter().map(|&i| channel(i)).collect();
    out.var = Frame::new(Index::names(channels.clone()))
        .with("marker", Column::Strings(keep.iter().map(|&i| new(i).unwrap_or_else(|| stain(i))).collect()))
        .with("channel", Column::Strings(channels));
    dir.save(to, &out);
}

#[test]
fn panels_that_differ_are_corrected_by_the_list_of_markers_in_the_message() {
    let dir = support::files();
    panel(&dir, "other.fcs", &["CD3"], &[("CD4", "strange")]);
    let line = "correct --spikein c1.fcs c2.fcs --sample other.fcs -o o.fcs --steps 5";
    let run = refused(&dir, 3, line, &["CD3", "strange", "--markers"]);
    let list = advised(&run.stderr, "--markers");
    assert!(list.contains("CD8a") && !list.contains("CD3,") && !list.contains("strange"), "{list}");
    dir.scx(&format!("{line} --markers {list}")).ok();
    // Markers asked for that one file lacks are known, and not agreed on; unknown ones are wrong usage.
    let run = refused(&dir, 3, &format!("{line} --markers CD3,CD8a --force"), &["only in c1.fcs: CD3"]);
    dir.scx(&format!("{line} --markers {} --force", advised(&run.stderr, "--markers"))).ok();
    dir.refuses(2, &format!("{line} --markers CD3x --force"), &["did you mean CD3?"]);
    // A stored edit has its markers: --markers would be refused with it.
    dir.scx(&format!("{FILES} -o p.fcs --steps 5 --save-model edit")).ok();
    let stored = "correct --model-dir edit --sample other.fcs -o q.fcs";
    let run = refused(&dir, 3, stored, &["the stored edit", "CD3", "without --model-dir"]);
    assert!(!run.stderr.contains("--markers"), "{}", run.stderr);
    dir.scx("correct --model-dir edit --sample t.fcs -o q.fcs").ok();
}

#[test]
fn a_file_agrees_with_its_own_copy_even_when_names_repeat() {
    let dir = Dir::new();
    let files = support::files();
    for name in ["c1.fcs", "c2.fcs", "s.fcs"] {
        let mut d = files.open(name);
        let names: Vec<String> = d
            .var
            .index
            .iter()
            .map(|n| if n == "Ch03Di" { "Ch02Di".into() } else { n.into_owned() })
            .collect();
        d.var = Frame::new(Index::names(names));
        dir.save(&name.replace(".fcs", ".h5ad"), &d);
    }
    dir.scx("correct --spikein c1.h5ad c2.h5ad --sample s.h5ad -o o.h5ad --steps 5").ok();
    dir.scx("correct --spikein c1.h5ad c1.h5ad --sample c1.h5ad -o p.h5ad --steps 5").ok();
}

#[test]
fn a_correction_that_is_refused_says_what_helps() {
    let dir = support::files();
    // Values on another scale.
    let runs = support::runs();
    let mut d = runs.dataset(None);
    let values = runs.values.iter().map(|v| (v / 5.0).asinh()).collect();
    let (n, m) = runs.values.dim();
    d.x = Some(Matrix::Dense(Dense::new(n, m, Values::F32(values)).unwrap()));
    dir.save("runs.h5ad", &d);
    let line = format!("{RUNS} -o o.h5ad --steps 5");
    refused(&dir, 3, &line, &["--transform none", "--transform arcsinh"]);
    for way in ["none", "arcsinh"] {
        dir.scx(&format!("{line} --transform {way} --force")).ok();
    }
    refused(&dir, 2, &line, &["exists already", "--force"]);
    dir.scx(&format!("{line} --transform none --force")).ok();
    // X is absent.
    let x = d.x.take().unwrap();
    d.layers.insert("a".into(), x.clone());
    d.layers.insert("b".into(), x);
    dir.save("runs.h5ad", &d);
    refused(&dir, 2, &format!("{line} --transform none --force"), &["several layers: a, b", "--layer"]);
    dir.scx(&format!("{line} --transform none --force --layer a")).ok();
    // Which value means control; a figure without a report; a folder that holds a model.
    dir.save("runs.h5ad", &support::runs().dataset(Some(support::runs().dense())));
    let line = "correct runs.h5ad --batch-key run --steps 5 -o p.h5ad";
    let run = refused(&dir, 2, &format!("{line} --spikein kind"), &["--spikein kind=VALUE", "control"]);
    assert!(run.stderr.contains("values: "), "{}", run.stderr);
    dir.scx(&format!("{line} --spikein kind=control")).ok();
    let line = format!("{FILES} -o q.fcs --steps 5");
    refused(&dir, 2, &format!("{line} --biaxial CD4,CD3"), &["--report FILE.html"]);
    dir.scx(&format!("{line} --biaxial CD4,CD3 --report page.html --save-model edit")).ok();
    refused(&dir, 2, &format!("{FILES} -o r.fcs --steps 5 --save-model edit"), &["--force"]);
    dir.scx(&format!("{FILES} -o r.fcs --steps 5 --save-model edit --force")).ok();
    refused(&dir, 2, "correct --model-dir edit --sample s.fcs -o t2.fcs --markers CD3", &["leave it out"]);
    dir.scx("correct --model-dir edit --sample s.fcs -o t2.fcs").ok();
    refused(&dir, 2, "correct runs.h5ad --spikein c1.fcs c2.fcs -o t3.h5ad", &["--batch-key", "--sample"]);
}

#[test]
fn files_that_do_not_go_together_are_joined_by_the_advice() {
    let dir = support::files();
    panel(&dir, "other.fcs", &["CD3"], &[]);
    let line = "concat s.fcs other.fcs -o all.h5ad --on-duplicate suffix --force";
    refused(&dir, 2, line, &["--join inner", "--join outer"]);
    for join in ["inner", "outer"] {
        dir.scx(&format!("{line} --join {join}")).ok();
    }
    let help = dir.scx("concat --help").ok().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("FCS files of different channels are joined only when it is given"), "{help}");
    dir.save("a.h5ad", &plain(&["c1", "c2"], &["g1", "g2"]));
    dir.save("b.h5ad", &plain(&["c1", "c2"], &["h1", "h2"]));
    refused(&dir, 2, "concat a.h5ad b.h5ad -o ab.h5ad --on-duplicate suffix", &["--join outer"]);
    refused(
        &dir,
        2,
        "concat a.h5ad b.h5ad -o ab.h5ad --join outer",
        &["--on-duplicate suffix", "--on-duplicate prefix"],
    );
    for way in ["suffix", "prefix"] {
        dir.scx(&format!("concat a.h5ad b.h5ad -o {way}.h5ad --join outer --on-duplicate {way}")).ok();
    }
    refused(&dir, 2, "concat suffix.h5ad prefix.h5ad -o all.h5ad --force", &["--batch-key"]);
    dir.scx("concat suffix.h5ad prefix.h5ad -o all.h5ad --batch-key origin --force").ok();
    let mut d = plain(&["d1", "d2"], &["g1", "g2"]);
    let x = d.x.take().unwrap();
    d.layers.insert("counts".into(), x);
    dir.save("layer.h5ad", &d);
    refused(&dir, 2, "concat a.h5ad layer.h5ad -o al.h5ad", &["scx convert --x LAYER"]);
    dir.scx("convert --x counts layer.h5ad x.h5ad").ok();
    dir.scx("concat a.h5ad x.h5ad -o al.h5ad").ok();
    refused(&dir, 2, "convert a.h5ad strange.xyz", &["--to"]);
    dir.scx("convert a.h5ad strange.xyz --to h5ad").ok();
    refused(&dir, 5, "convert layer.h5ad layer.h5", &["--x", "counts"]);
    dir.scx("convert layer.h5ad layer.h5 --x counts").ok();
}

#[test]
fn cells_are_made_when_the_advice_is_followed() {
    let dir = Dir::new();
    let d = toy();
    dir.save("cells.h5ad", &d);
    let line = "augment cells.h5ad --cluster rare --n 5 --model nb -o";
    refused(&dir, 3, &format!("{line} a.h5ad --min-genes 39"), &["--min-genes", "--min-cells"]);
    dir.scx(&format!("{line} a.h5ad --min-genes 1 --min-cells 1")).ok();
    // Labels: none at all; cells that follow from nothing.
    let mut none = d.clone();
    none.obs.set("empty", Column::NullableStrings(vec![None; 170]));
    dir.save("none.h5ad", &none);
    let empty = "augment none.h5ad --cluster all --n 5 --model nb --cluster-key empty -o b.h5ad";
    refused(&dir, 3, empty, &["none of the 170 cells has a label", "--unlabeled-category", "--cluster-key"]);
    dir.scx(&format!("{empty} --unlabeled-category all")).ok();
    let odd: Vec<f32> = (0..170 * 40).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut scaled = d.clone();
    scaled.layers.insert("spliced".into(), d.x.clone().unwrap());
    scaled.x = Some(Matrix::Dense(Dense::new(170, 40, Values::F32(odd)).unwrap()));
    dir.save("scaled.h5ad", &scaled);
    let line = "augment scaled.h5ad --cluster rare --n 5 --model nb -o c.h5ad";
    refused(&dir, 3, line, &["expected a whole number", "holds raw counts: --layer spliced"]);
    refused(&dir, 3, &format!("{line} --layer spliced"), &["--only-synthetic"]);
    dir.scx(&format!("{line} --layer spliced --only-synthetic")).ok();
    // Counts in raw, and no labels: clusters are searched there.
    let mut raw = d.clone();
    raw.raw = Some(scx::data::Raw { x: d.x.clone().unwrap(), var: d.var.clone(), varm: Default::default() });
    let logged = dense(d.x.as_ref().unwrap()).concat().into_iter().map(|v| v.ln_1p() as f32).collect();
    raw.x = Some(Matrix::Dense(Dense::new(170, 40, Values::F32(logged)).unwrap()));
    raw.obs.columns.clear();
    dir.save("raw.h5ad", &raw);
    dir.scx("generate raw.h5ad --n 5 --model nb -o d.h5ad")
        .ok()
        .says(&["counts from raw", "clusters are searched"]);
    // Populations only; too few confirmed.
    dir.scx("train sugar cells.h5ad -o sugar").ok();
    let line = "generate --model-dir sugar --n 9 --proportions rare=1 -o e.h5ad";
    refused(&dir, 2, line, &["take cscgan or activa"]);
    dir.scx(
        "generate cells.h5ad --model cscgan --steps 4 --minibatch 16 --n 9 --proportions rare=1 -o e.h5ad",
    )
    .ok();
    let line = "augment cells.h5ad --cluster rare --n 9 --model sugar -o f.h5ad";
    refused(&dir, 2, line, &["take splat or nb-copula"]);
    for model in ["splat", "nb-copula"] {
        dir.scx(&format!("{line} --model {model} --force").replace("--model sugar ", "")).ok();
    }
    let small = "steps: 1\nminibatch: 32\nsettings:\n  encoder: [16]\n  latent: 4\n  generator: [16]\n  latent_law: prior\n  max_rounds: 1\n";
    dir.write("filter.yaml", format!("{small}  filter: true\n"));
    let line = "augment cells.h5ad --cluster rare --n 900 -o g.h5ad --config";
    let run = dir.scx(&format!("{line} filter.yaml")).fails(4, &["filter: false"]);
    let kept = advised(&run.stderr, "--model-dir");
    assert!(dir.path(kept).is_dir(), "{kept}");
    dir.write("plain.yaml", small.replace("prior", "posterior") + "  filter: false\n");
    dir.scx(&format!("{line} plain.yaml")).ok();
    // A report needs cells to judge by.
    let line = "augment cells.h5ad --cluster rare --n 20 --model nb -o h.h5ad --report p.html";
    refused(&dir, 2, &format!("{line} --test-fraction 0"), &["--test-fraction above 0"]);
    dir.scx(&format!("{line} --test-fraction 0.3")).ok();
    refused(
        &dir,
        2,
        "split cells.h5ad --by leiden --train t.h5ad --test v.h5ad --test-fraction 0.001",
        &["larger share"],
    );
    dir.scx("split cells.h5ad --by leiden --train t.h5ad --test v.h5ad --test-fraction 0.1").ok();
}

#[test]
fn labels_and_clusters_are_found_when_the_advice_is_followed() {
    let dir = Dir::new();
    let d = toy();
    dir.save("cells.h5ad", &d);
    dir.scx("train actinn cells.h5ad -o model --steps 20 --minibatch 32 --min-cells 1").ok();
    let mut few = d.clone();
    let names: Vec<String> = d
        .var
        .index
        .iter()
        .enumerate()
        .map(|(i, n)| if i < 13 { format!("x{i}") } else { n.into_owned() })
        .collect();
    few.var.index = Index::names(names);
    dir.save("few.h5ad", &few);
    let line = "classify few.h5ad --model-dir model -o out.h5ad";
    let run = refused(&dir, 3, line, &["13 of the 40 genes", "more than 10 %"]);
    let share = advised(&run.stderr, "--max-missing");
    assert_eq!(share, "0.33");
    dir.scx(&format!("{line} --max-missing {share}")).ok();
    few.var.index = Index::names((0..40).map(|i| format!("x{i}")).collect());
    dir.save("none.h5ad", &few);
    let none = refused(
        &dir,
        3,
        "classify none.h5ad --model-dir model -o no.h5ad --max-missing 1",
        &["40 of the 40 genes", "names of the same kind"],
    );
    assert!(!none.stderr.contains("--max-missing"), "{}", none.stderr);
    // A column that is there already.
    for (verb, own) in
        [("classify out.h5ad --model-dir model --max-missing 1", "actinn"), ("cluster c.h5ad", "cluster")]
    {
        if own == "cluster" {
            dir.scx("cluster cells.h5ad -o c.h5ad").ok();
        }
        let line = format!("{verb} -o again.h5ad");
        refused(&dir, 2, &line, &[own, "--key-added", "--force"]);
        dir.scx(&format!("{line} --key-added other")).ok();
        dir.scx(&format!("{line} --force")).ok();
        std::fs::remove_file(dir.path("again.h5ad")).unwrap();
    }
    // Types of cells that cannot be told.
    let mut bare = d;
    bare.obs.columns.clear();
    dir.save("bare.h5ad", &bare);
    let line = "evaluate generation --real bare.h5ad --synthetic cells.h5ad --trees 5 --no-gene-forests";
    refused(&dir, 2, &format!("{line} --cluster rare"), &["--cluster-key"]);
    let line = line.replace("bare.h5ad --synthetic", "cells.h5ad --synthetic");
    dir.scx(&format!("{line} --cluster-key leiden --cluster rare")).ok();
}

#[test]
fn an_unknown_column_is_wrong_usage_with_the_nearest_name_in_every_verb() {
    let dir = support::annotated();
    dir.save("cells.h5ad", &toy());
    for (line, says) in [
        (
            "augment cells.h5ad --cluster rare --n 5 --model nb --cluster-key leidn -o o.h5ad",
            "did you mean leiden?",
        ),
        ("augment cells.h5ad --cluster rar --n 5 --model nb -o o.h5ad", "did you mean rare?"),
        ("augment cells.h5ad --cluster rare --n 5 --model nb --by doner -o o.h5ad", "did you mean donor?"),
        ("train nb cells.h5ad --cluster-key leidn -o o", "did you mean leiden?"),
        ("generate cells.h5ad --model nb --n 5 --cluster-key leidn -o o.h5ad", "did you mean leiden?"),
        ("generate cells.h5ad --model nb --n 5 --proportions rar=1 -o o.h5ad", "did you mean rare?"),
        ("split cells.h5ad --by leidn --train a.h5ad --test b.h5ad", "did you mean leiden?"),
        (
            "evaluate generation --real cells.h5ad --synthetic cells.h5ad --cluster-key leidn",
            "did you mean leiden?",
        ),
        ("evaluate generation --real cells.h5ad --synthetic cells.h5ad --cluster rar", "did you mean rare?"),
        ("evaluate augmentation cells.h5ad --cluster rar --model nb", "did you mean rare?"),
        ("correct runs.h5ad --batch-key rn --spikein is_control -o o.h5ad", "did you mean run?"),
        ("correct runs.h5ad --batch-key run --spikein is_controll -o o.h5ad", "did you mean is_control?"),
        (
            "correct runs.h5ad --batch-key run --spikein is_control --reference run9 -o o.h5ad",
            "did you mean run",
        ),
        ("correct runs.h5ad --batch-key run --spikein is_control --markers CD33x -o o.h5ad", "did you mean"),
        ("preprocess runs.h5ad --arcsinh 5 --markers CD33x -o o.h5ad", "did you mean"),
    ] {
        dir.refuses(2, line, &[says]);
    }
}
