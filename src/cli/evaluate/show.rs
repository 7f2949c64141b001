//! Figures of generated cells for people: a column for each set of cells.

use std::fmt::Write as _;

use crate::cli::kit::show::{number, percent, thousands};
use crate::eval::generation::{GenerationScore, SetScore, Space};

/// One figure of a set, as it is to be read.
type Figure = Box<dyn Fn(&SetScore) -> String>;

/// The figures: name, value, and what it says.
pub(in crate::cli) fn figures(score: &GenerationScore) -> Vec<(String, Figure, &'static str)> {
    let auc = |space: Space, scaled: bool| -> Figure {
        Box::new(move |s: &SetScore| {
            s.detection(space, scaled).map_or("–".into(), |d| format!("{:.3} ± {:.3}", d.auc, d.sd))
        })
    };
    let plain = |f: fn(&SetScore) -> Option<f64>, decimals: usize| -> Figure {
        Box::new(move |s: &SetScore| number(f(s), decimals))
    };
    let has_genes = score.generated.detection(Space::Genes, true).is_some();
    let distance = |space: Space| -> Figure {
        Box::new(move |s: &SetScore| {
            let of = s.memorisation.iter().flat_map(|m| &m.distances).find(|d| d.space == space);
            number(of.map(|d| d.ratio), 3)
        })
    };
    let mut all: Vec<(String, Figure, &'static str)> = vec![(
        "AUC, components".into(),
        auc(Space::Components, true),
        "How well a random forest tells the cells from real test cells on 50 principal components of scaled cells: area under \
         the ROC curve, mean ± sd over five folds. 0.5 not at all, 1 always.",
    )];
    all.push((
        "AUC, components, unscaled".into(),
        auc(Space::Components, false),
        "The same where library sizes are left as they are: they may give cells away.",
    ));
    if has_genes {
        all.push(("AUC, genes".into(), auc(Space::Genes, true), "The same on all genes of scaled cells."));
        all.push((
            "AUC, genes, unscaled".into(),
            auc(Space::Genes, false),
            "On all genes, library sizes left as they are.",
        ));
    }
    all.push((
        "MMD²".into(),
        Box::new(|s| format!("{:.4}", s.mmd.mmd2)),
        "Distance between the distributions on principal components (squared maximum mean discrepancy). Only comparable \
         within this table.",
    ));
    all.push(("MMD".into(), Box::new(|s| format!("{:.3}", s.mmd.mmd)), "Its root, which papers print."));
    if score.generated.correlation.is_some() {
        all.push((
            "CD".into(),
            plain(|s| s.correlation.as_ref().map(|c| c.cd), 3),
            "Correlation discrepancy of marker genes: the largest column sum of absolute differences.",
        ));
        all.push((
            "mean |G−R|".into(),
            plain(|s| s.correlation.as_ref().map(|c| c.mean), 4),
            "Mean absolute difference of the same correlations.",
        ));
    }
    all.push((
        "zeros".into(),
        Box::new(|s| percent(Some(s.laws.zeros_generated))),
        "Share of zeros in the counts.",
    ));
    all.push((
        "zeros per gene".into(),
        plain(|s| Some(s.laws.zeros_per_gene), 4),
        "Mean absolute difference of the share of zeros of each gene from that in real test cells.",
    ));
    all.push((
        "variance ratio".into(),
        plain(|s| Some(s.laws.variance_ratio), 3),
        "Total variance of log expression over that of real test cells.",
    ));
    all.push((
        "library KS".into(),
        plain(|s| Some(s.laws.library_ks), 3),
        "Largest difference between the distributions of library sizes: 0 equal, 1 apart.",
    ));
    if score.generated.fold_changes.is_some() {
        all.push((
            "fold change slope".into(),
            plain(|s| s.fold_changes.and_then(|f| f.slope), 3),
            "Log fold changes of marker genes over those in real test cells: 1 as strong, below 1 blurred.",
        ));
        all.push((
            "fold change r".into(),
            plain(|s| s.fold_changes.and_then(|f| f.r), 3),
            "Their correlation.",
        ));
    }
    if score.generated.types.is_some() {
        all.push((
            "type confirmed".into(),
            Box::new(|s| percent(s.types.as_ref().map(|t| t.confirmed))),
            "Share of cells that a forest trained on real test cells takes for the type they are meant to be.",
        ));
    }
    if score.generated.memorisation.is_some() {
        all.push((
            "distance ratio".into(),
            distance(Space::Components),
            "Median distance to the nearest training cell over that of real test cells, on components: 1 as far, 0 copies.",
        ));
        all.push(("distance ratio, genes".into(), distance(Space::Genes), "The same on all genes."));
        all.push((
            "exact copies".into(),
            Box::new(|s| s.memorisation.as_ref().map_or("–".into(), |m| thousands(m.copies))),
            "Cells with exactly the counts of a training cell.",
        ));
    }
    all
}

/// The table and the verdict.
pub(in crate::cli) fn table(score: &GenerationScore) -> String {
    let mut out = String::new();
    let g = &score.genes;
    let only = score.cluster.as_ref().map_or(String::new(), |c| format!(" of {c}"));
    let _ = writeln!(
        out,
        "{} generated cells against {} real test cells{only}, {} of each compared\n{} genes in common, {} of them in {} real \
         cells or more; scale ln(1 + counts per {})\n",
        thousands(score.generated.cells),
        thousands(score.test_cells),
        thousands(score.generated.compared),
        thousands(g.common),
        thousands(g.used),
        g.min_cells,
        score.target
    );
    let sets: Vec<&SetScore> = score.sets().collect();
    let figures = figures(score);
    let heads: Vec<String> = (0..sets.len()).map(|i| format!("[{}]", i + 1)).collect();
    let rows: Vec<(String, Vec<String>)> =
        figures.iter().map(|(name, of, _)| (name.clone(), sets.iter().map(|s| of(s)).collect())).collect();
    let first = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0);
    let width =
        |c: usize| rows.iter().map(|r| r.1[c].chars().count()).chain([heads[c].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..sets.len()).map(width).collect();
    let _ = write!(out, "  {:first$}", "");
    heads.iter().zip(&widths).for_each(|(h, &w)| {
        let _ = write!(out, "  {h:>w$}");
    });
    out.push('\n');
    for (name, values) in &rows {
        let _ = write!(out, "  {name:first$}");
        values.iter().zip(&widths).for_each(|(v, &w)| {
            let _ = write!(out, "  {v:>w$}");
        });
        out.push('\n');
    }
    out.push('\n');
    for (head, set) in heads.iter().zip(&sets) {
        let _ = writeln!(out, "  {head} {}", set.name);
    }
    let z = &score.generated.laws;
    let _ = writeln!(
        out,
        "  real test cells: {:.1} % zeros, median library size {:.0}",
        100.0 * z.zeros_real,
        z.library_real.p50
    );
    types(&mut out, score);
    let _ = writeln!(out, "\nVerdict: {}", score.verdict.headline);
    score.verdict.remarks.iter().for_each(|r| {
        let _ = writeln!(out, "  {r}");
    });
    out
}

fn types(out: &mut String, score: &GenerationScore) {
    let Some(types) = &score.generated.types else { return };
    let ceiling = |label: &str| {
        let real = score.ceiling.as_ref()?.types.as_ref()?;
        real.labels.iter().find(|t| t.label == label).map(|t| t.confirmed)
    };
    let _ = writeln!(
        out,
        "\n  type confirmed by a forest trained on real test cells (real training cells beside it)"
    );
    let width = types.labels.iter().map(|t| t.label.chars().count()).max().unwrap_or(0);
    for t in &types.labels {
        let _ = writeln!(
            out,
            "  {:width$}  {:>7} cells  {:>7}  ({})",
            t.label,
            thousands(t.cells),
            percent(Some(t.confirmed)),
            percent(ceiling(&t.label))
        );
    }
}
