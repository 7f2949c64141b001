//! From scores and cells to what the page draws.

use ndarray::Array2;

use crate::cli::evaluate::cells::Common;
use crate::cli::evaluate::cells::Set;
use crate::cli::evaluate::{GenerationArgs, show};
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::data::Counts;
use crate::eval::correlations;
use crate::eval::generation::{GenerationScore, Judge, SetScore, Space, TARGET, log_rows};
use crate::report::{
    self, Cloud, Column, GenerationReport, Level, RocCurve, ScoreGroup, ScoreRow, ScoreTable, ScoreValue,
    Triangle, Violin, ViolinGroup, ZeroShares,
};
use crate::rng::Seed;

/// Cells drawn of each side, and values of each half of a violin.
const CLOUD: usize = 2000;
const VIOLIN: usize = 1000;
/// Genes drawn as violins, and types beside each other.
const VIOLINS: usize = 10;
const MOST_TYPES: usize = 14;

/// Places of cells, and their types.
type Dots = Vec<([f64; 2], Option<usize>)>;

/// Everything the page shows.
pub(in crate::cli) fn build(
    args: &GenerationArgs,
    common: &Common,
    judge: &Judge<'_>,
    score: &GenerationScore,
    places: &[(&'static str, String, String)],
) -> Result<GenerationReport, CliError> {
    let only = score.cluster.as_ref().and_then(|c| common.types.iter().position(|t| t == c));
    let seed = Seed(args.seed);
    let (real, made) = (some(&common.sets[0], only, seed), some(&common.sets[1], only, seed));
    let markers = judge.markers();
    let of_cluster = score.cluster.as_ref().map_or(String::new(), |c| format!(" · cluster {c}"));
    Ok(GenerationReport {
        title: "Generated cells against real ones".into(),
        subtitle: format!(
            "{} generated cells · {} real test cells · {} genes{of_cluster}",
            thousands(score.generated.cells),
            thousands(score.test_cells),
            thousands(score.genes.used)
        ),
        unit: format!("ln(1 + counts per {TARGET})"),
        verdict: verdict(score),
        score: table(score),
        cloud: Some(cloud(judge, common, &real, &made)?),
        roc: roc(score),
        triangle: triangle(common, &markers, &real.0, &made.0),
        violins: violins(common, &markers, &real, &made),
        zeros: Some(zeros(judge, score, &real.0, &made.0)),
        losses: Vec::new(),
        acceptance: Vec::new(),
        parameters: parameters(args, score),
        provenance: places
            .iter()
            .map(|(role, path, place)| ((*role).to_owned(), format!("{path}, counts from {place}")))
            .chain([("scx".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
            .collect(),
        warnings: Vec::new(),
        notes: score
            .verdict
            .findings
            .iter()
            .map(|f| {
                let word = if f.met { "holds" } else { "does not hold" };
                format!("{}: {:.3}, must be {}: {word}.", f.what, f.value, f.must)
            })
            .collect(),
    })
}

/// Some cells of a set, of one type where one was chosen.
fn some(set: &Set, only: Option<usize>, seed: Seed) -> Set {
    let of = |i: &usize| match (only, &set.1) {
        (Some(c), Some(labels)) => labels[*i] == Some(c),
        _ => true,
    };
    let all: Vec<usize> = (0..set.0.n_cells()).filter(of).collect();
    let rows: Vec<usize> =
        seed.stream("evaluate/page").sample(all.len(), CLOUD).into_iter().map(|i| all[i]).collect();
    (set.0.cells(&rows), set.1.as_ref().map(|l| rows.iter().map(|&r| l[r]).collect()))
}

fn verdict(score: &GenerationScore) -> report::Verdict {
    let v = &score.verdict;
    let level = match (v.usable, v.baseline_as_good) {
        (false, _) => Level::Bad,
        (true, Some(true)) => Level::Caution,
        (true, _) if v.good => Level::Good,
        (true, _) => Level::Caution,
    };
    let mut chars = v.headline.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    report::Verdict { headline: format!("{first}{}.", chars.as_str()), details: v.remarks.clone(), level }
}

fn table(score: &GenerationScore) -> ScoreTable {
    let figures = show::figures(score);
    let row = |(i, s): (usize, &SetScore)| ScoreRow {
        method: s.name.clone(),
        chosen: i == 0,
        values: figures.iter().map(|(_, of, _)| ScoreValue { text: of(s), best: false }).collect(),
    };
    ScoreTable {
        columns: figures.iter().map(|(name, _, what)| Column::new(name.clone(), *what)).collect(),
        groups: vec![ScoreGroup { name: String::new(), rows: score.sets().enumerate().map(row).collect() }],
    }
}

fn cloud(judge: &Judge<'_>, common: &Common, real: &Set, made: &Set) -> Result<Cloud, CliError> {
    let points = |set: &Set| -> Result<Dots, CliError> {
        let p = judge.points(&set.0)?;
        let second = if p.ncols() > 1 { 1 } else { 0 };
        let label = |i: usize| set.1.as_ref().and_then(|l| l[i]);
        Ok((0..p.nrows()).map(|i| ([p[(i, 0)], p[(i, second)]], label(i))).collect())
    };
    let share = |i: usize| 100.0 * judge.explained().get(i).copied().unwrap_or(0.0);
    let known = real.1.is_some() && common.types.len() <= MOST_TYPES;
    Ok(Cloud {
        x: format!("PC1 ({:.1} % of variance)", share(0)),
        y: format!("PC2 ({:.1} % of variance)", share(1)),
        types: if known { common.types.clone() } else { Vec::new() },
        real: points(real)?,
        generated: points(made)?,
    })
}

fn roc(score: &GenerationScore) -> Vec<RocCurve> {
    let curve = |name: &str, s: &SetScore| {
        let d = s.detection(Space::Components, true)?;
        Some(RocCurve {
            name: name.to_owned(),
            auc: format!("{:.3} ± {:.3}", d.auc, d.sd),
            points: d.roc.clone(),
        })
    };
    let mut out: Vec<RocCurve> = score.sets().filter_map(|s| curve(&s.name, s)).collect();
    if let Some(d) = score.generated.detection(Space::Genes, true) {
        let auc = format!("{:.3} ± {:.3}", d.auc, d.sd);
        out.push(RocCurve { name: "generated cells, on all genes".into(), auc, points: d.roc.clone() });
    }
    out
}

/// Log expression of some genes, cells × genes.
fn expression(counts: &Counts, genes: &[usize]) -> Array2<f64> {
    // Scaled by all counts of a cell, then reduced to the genes.
    let log = log_rows(counts, Some(TARGET));
    let mut to = vec![usize::MAX; counts.n_genes()];
    genes.iter().enumerate().for_each(|(new, &g)| to[g] = new);
    let mut out = Array2::zeros((counts.n_cells(), genes.len()));
    for (c, mut row) in out.rows_mut().into_iter().enumerate() {
        let (genes, values) = log.row(c);
        for (&g, &v) in genes.iter().zip(values) {
            if let Some(to) = row.get_mut(to[g as usize]) {
                *to = f64::from(v);
            }
        }
    }
    out
}

fn triangle(common: &Common, markers: &[(usize, usize)], real: &Counts, made: &Counts) -> Option<Triangle> {
    let genes: Vec<usize> = markers.iter().map(|m| m.0).collect();
    let of = |c: &Counts| correlations(expression(c, &genes).view()).into_iter().collect::<Vec<f64>>();
    (genes.len() > 1).then(|| Triangle {
        genes: genes.iter().map(|&g| common.genes[g].clone()).collect(),
        real: of(real),
        generated: of(made),
    })
}

/// The strongest marker of each type, in every type.
fn violins(common: &Common, markers: &[(usize, usize)], real: &Set, made: &Set) -> Vec<Violin> {
    let (Some(of_real), Some(of_made)) = (&real.1, &made.1) else { return Vec::new() };
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    for &(gene, cluster) in markers {
        if chosen.len() < VIOLINS && chosen.iter().all(|c| c.1 != cluster) {
            chosen.push((gene, cluster));
        }
    }
    let genes: Vec<usize> = chosen.iter().map(|c| c.0).collect();
    let (a, b) = (expression(&real.0, &genes), expression(&made.0, &genes));
    let values = |x: &Array2<f64>, labels: &[Option<usize>], gene: usize, t: usize| {
        let of = (0..x.nrows()).filter(|&i| labels[i] == Some(t)).take(VIOLIN);
        of.map(|i| x[(i, gene)] as f32).collect::<Vec<_>>()
    };
    let present = |t: &usize| of_real.contains(&Some(*t)) || of_made.contains(&Some(*t));
    let types: Vec<usize> = (0..common.types.len()).filter(present).take(MOST_TYPES).collect();
    let group = |gene: usize, t: usize| ViolinGroup {
        name: common.types[t].clone(),
        real: values(&a, of_real, gene, t),
        generated: values(&b, of_made, gene, t),
    };
    let plot = |(i, &(gene, cluster)): (usize, &(usize, usize))| Violin {
        gene: common.genes[gene].clone(),
        marks: common.types[cluster].clone(),
        groups: types.iter().map(|&t| group(i, t)).collect(),
    };
    chosen.iter().enumerate().map(plot).collect()
}

fn zeros(judge: &Judge<'_>, score: &GenerationScore, real: &Counts, made: &Counts) -> ZeroShares {
    let share = |c: &Counts| {
        let n = c.n_cells().max(1) as f64;
        c.cells_of_gene().into_iter().map(|k| 1.0 - k as f64 / n).collect::<Vec<_>>()
    };
    let (a, b) = (share(real), share(made));
    ZeroShares {
        genes: judge.genes().iter().map(|&g| [a[g], b[g]]).collect(),
        difference: score.generated.laws.zeros_per_gene,
    }
}

fn parameters(args: &GenerationArgs, score: &GenerationScore) -> Vec<(String, String)> {
    let d = score.generated.detection(Space::Components, true);
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("trees of a forest", thousands(args.trees)),
        pair("folds", d.map_or("–".into(), |d| d.folds.len().to_string())),
        pair("principal components", score.generated.mmd.components.to_string()),
        pair("components and markers from", score.fitted_on.clone()),
        pair("cells compared of each side", thousands(score.generated.compared)),
        pair("genes in common", thousands(score.genes.common)),
        pair(
            "genes used",
            format!("{} (in {} real cells or more)", thousands(score.genes.used), score.genes.min_cells),
        ),
        pair("scale", GenerationScore::scale()),
        pair("seed", args.seed.to_string()),
    ]
}
