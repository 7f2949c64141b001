//! What to think of generated cells: limits, stated, and whether a simple method does as well.
//!
//! The limits are conventions, not laws of nature. A forest that tells generated from real cells with an area of 0.80 errs
//! about as often as one between neighbouring types of T cells; zeros and variance within the stated bounds keep a
//! differential expression test near its level; distances below 0.9 of those of held-out cells say that training cells were
//! remembered. Whoever needs more (or less) sets [`Thresholds`].

use super::{SetKind, SetScore, Space};

/// Limits of a verdict: what must hold for cells to be called usable, and what is aimed at.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Thresholds {
    /// Area under the ROC curve on components, at most; and the aim, the best figure of ACTIVA's paper.
    pub auc: (f64, f64),
    /// Difference between the shares of zeros, at most.
    pub zeros: (f64, f64),
    /// Largest factor between total variances, either way.
    pub variance: (f64, f64),
    /// Distance to the nearest training cell over that of held-out cells, on components, at least.
    pub distance: (f64, f64),
    /// Share of each type with enough cells that is confirmed, at least.
    pub types: (f64, f64),
    /// Real cells a type needs for its share to count.
    pub type_cells: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            auc: (0.80, 0.62),
            zeros: (0.03, 0.01),
            variance: (1.25, 1.1),
            distance: (0.9, 0.97),
            types: (0.80, 0.95),
            type_cells: 100,
        }
    }
}

/// One thing that was held against its limit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// What was measured.
    pub what: String,
    /// What came out.
    pub value: f64,
    /// What it must be, in words.
    pub must: String,
    /// Whether it is.
    pub met: bool,
    /// Whether the aim is reached as well.
    pub aim: bool,
}

/// What to think of generated cells.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// Whether everything that must hold does.
    pub usable: bool,
    /// Whether all aims are reached too.
    pub good: bool,
    /// Whether one of the baselines that make new cells does as well; none when there was no such baseline.
    pub baseline_as_good: Option<bool>,
    /// One sentence.
    pub headline: String,
    /// What it rests on.
    pub findings: Vec<Finding>,
    /// What else to know, a sentence each.
    pub remarks: Vec<String>,
}

/// Passes a verdict; `real_cells` gives the number of real cells of a type.
pub fn judge(
    made: &SetScore,
    ceiling: Option<&SetScore>,
    baselines: &[SetScore],
    real_cells: impl Fn(&str) -> usize,
    limits: &Thresholds,
) -> Verdict {
    let findings = findings(made, ceiling, real_cells, limits);
    let failed: Vec<&Finding> = findings.iter().filter(|f| !f.met).collect();
    let usable = failed.is_empty();
    let good = usable && findings.iter().all(|f| f.aim);
    let rivals: Vec<&SetScore> = baselines.iter().filter(|b| b.kind == SetKind::Baseline).collect();
    let better: Vec<&&SetScore> = rivals.iter().filter(|b| does_as_well(b, made)).collect();
    let mut headline = if usable {
        let of = ceiling.map_or(String::new(), |c| format!(" (real cells: {:.2})", c.auc()));
        format!(
            "{}: a forest tells these cells from real ones with AUC {:.2}{of}",
            if good { "good" } else { "usable" },
            made.auc()
        )
    } else {
        let why: Vec<String> =
            failed.iter().map(|f| format!("{} is {:.3}, must be {}", f.what, f.value, f.must)).collect();
        format!("not usable as real cells: {}", why.join("; "))
    };
    let baseline_as_good = (!rivals.is_empty()).then_some(!better.is_empty());
    match better.first() {
        Some(b) => headline.push_str(&format!("; the baseline {} does as well", b.name)),
        None if !rivals.is_empty() => headline.push_str("; no baseline that makes new cells does as well"),
        None => {}
    }
    Verdict { usable, good, baseline_as_good, headline, remarks: remarks(made, ceiling, baselines), findings }
}

fn findings(
    made: &SetScore,
    ceiling: Option<&SetScore>,
    real_cells: impl Fn(&str) -> usize,
    limits: &Thresholds,
) -> Vec<Finding> {
    let below = |what: &str, value: f64, (must, aim): (f64, f64)| Finding {
        what: what.into(),
        value,
        must: format!("at most {must}"),
        met: value <= must,
        aim: value <= aim,
    };
    let laws = &made.laws;
    let ratio = laws.variance_ratio;
    let mut all = vec![
        below("AUC on components", made.auc(), limits.auc),
        below("difference of zero shares", (laws.zeros_generated - laws.zeros_real).abs(), limits.zeros),
        Finding {
            what: "ratio of total variance".into(),
            value: ratio,
            must: format!("{:.2} to {:.2}", 1.0 / limits.variance.0, limits.variance.0),
            met: within(ratio, limits.variance.0),
            aim: within(ratio, limits.variance.1),
        },
    ];
    if let Some(m) = &made.memorisation {
        let on_points = m.distances.iter().find(|d| d.space == Space::Components);
        all.extend(on_points.map(|d| Finding {
            what: "distance from training cells over that of held-out cells".into(),
            value: d.ratio,
            must: format!("at least {}", limits.distance.0),
            met: d.ratio >= limits.distance.0,
            aim: d.ratio >= limits.distance.1,
        }));
        // Held-out real cells may equal training cells too, where counts are few.
        let free = m.held_out_copies;
        all.push(Finding {
            what: "exact copies of training cells".into(),
            value: m.copies as f64,
            must: if free == 0 { "0".into() } else { format!("at most {free}, as among held-out cells") },
            met: m.copies <= free,
            aim: m.copies <= free,
        });
    }
    let real = |label: &str| {
        let types = ceiling?.types.as_ref()?;
        Some(types.labels.iter().find(|t| t.label == label)?.confirmed)
    };
    for t in made.types.iter().flat_map(|t| &t.labels).filter(|t| real_cells(&t.label) >= limits.type_cells) {
        // No more can be asked for than real cells reach.
        let limit = |wanted: f64| real(&t.label).map_or(wanted, |r| wanted.min(0.95 * r));
        all.push(Finding {
            what: format!("share of {} confirmed", t.label),
            value: t.confirmed,
            must: format!("at least {:.2}", limit(limits.types.0)),
            met: t.confirmed >= limit(limits.types.0),
            aim: t.confirmed >= limit(limits.types.1),
        });
    }
    all
}

fn within(ratio: f64, factor: f64) -> bool {
    // The inverse is rounded as it is printed: 1 / 1.25 is 0.8.
    ratio <= factor && ratio >= 1.0 / factor - 1e-12
}

/// As good in at least two of the three figures that compare distributions.
fn does_as_well(baseline: &SetScore, made: &SetScore) -> bool {
    let cd = |s: &SetScore| s.correlation.as_ref().map_or(f64::NAN, |c| c.cd);
    // A hundredth of an area is within what another seed would change.
    let figures =
        [baseline.auc() <= made.auc() + 0.01, baseline.mmd.mmd2 <= made.mmd.mmd2, cd(baseline) <= cd(made)];
    figures.into_iter().filter(|f| *f).count() >= 2
}

fn remarks(made: &SetScore, ceiling: Option<&SetScore>, baselines: &[SetScore]) -> Vec<String> {
    let mut out = Vec::new();
    match ceiling {
        None => out.push(
            "Without training cells there is no ceiling to hold figures against, and copies cannot be told from new cells."
                .into(),
        ),
        Some(c) if c.auc() > 0.6 => out.push(format!(
            "Real training cells are told from the test cells with AUC {:.2}: the two differ by themselves, which every \
             figure here includes.",
            c.auc()
        )),
        Some(c) => {
            out.push(format!(
                "MMD² is {} times that of real training cells.",
                times(made.mmd.mmd2, c.mmd.mmd2)
            ));
            if let (Some(a), Some(b)) = (&made.correlation, &c.correlation) {
                out.push(format!("CD is {} times that of real training cells.", times(a.cd, b.cd)));
            }
        }
    }
    if let (Some(scaled), Some(plain)) =
        (made.detection(Space::Components, true), made.detection(Space::Components, false))
        && plain.auc > scaled.auc + 0.05
    {
        out.push(format!(
            "Library sizes give these cells away: AUC {:.2} where they are left as they are, {:.2} where both sides are \
             scaled.",
            plain.auc, scaled.auc
        ));
    }
    if let Some(genes) = made.detection(Space::Genes, true)
        && genes.auc > made.auc() + 0.1
    {
        out.push(format!("On all genes a forest does better than on components: AUC {:.2}.", genes.auc));
    }
    if made.outside_genes > 0.0 {
        out.push(format!(
            "{:.2} % of the generated counts lie in genes that real cells do not have; they were left out.",
            100.0 * made.outside_genes
        ));
    }
    for b in baselines.iter().filter(|b| b.kind == SetKind::Copies) {
        out.push(format!(
            "{} (AUC {:.2}) gives training cells again: nothing tells them from real cells, and nothing is new.",
            b.name,
            b.auc()
        ));
    }
    out
}

fn times(a: f64, b: f64) -> String {
    if b > 0.0 { format!("{:.1}", a / b) } else { "many".into() }
}
