//! The page that shows how real generated cells are: numbers in, one self-contained file out.

use super::html::{Mark, escape, legend_of, pairs};
use super::page::Page;
use super::plots::{GENERATED, REAL, TYPES, cloud, loss, roc, triangle, violin, zeros};
use super::{ScoreTable, Verdict};

/// All a page on generated cells shows. What is empty is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GenerationReport {
    /// Heading of the page.
    pub title: String,
    /// What was judged, in one line.
    pub subtitle: String,
    /// The scale of expression values, as axes name it.
    pub unit: String,
    /// What to think of the cells.
    pub verdict: Verdict,
    /// Generated cells, real ones and baselines against the measures.
    pub score: ScoreTable,
    /// Real and generated cells on two axes.
    pub cloud: Option<Cloud>,
    /// ROC curves of the forests.
    pub roc: Vec<RocCurve>,
    /// Correlations of marker genes.
    pub triangle: Option<Triangle>,
    /// Marker genes in each type.
    pub violins: Vec<Violin>,
    /// Zeros of each gene.
    pub zeros: Option<ZeroShares>,
    /// Losses of training.
    pub losses: Vec<LossCurve>,
    /// How many of the cells made were kept, type by type: name, and words.
    pub acceptance: Vec<(String, String)>,
    /// Settings, name and value.
    pub parameters: Vec<(String, String)>,
    /// Where the numbers come from.
    pub provenance: Vec<(String, String)>,
    /// What the reader must know.
    pub warnings: Vec<String>,
    /// Remarks of less weight.
    pub notes: Vec<String>,
}

/// Real and generated cells on two axes, subsampled by the caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cloud {
    /// Name of the horizontal axis.
    pub x: String,
    /// Name of the vertical axis.
    pub y: String,
    /// Names of the types; empty when there are none.
    pub types: Vec<String>,
    /// Real cells and their types.
    pub real: Vec<([f64; 2], Option<usize>)>,
    /// Generated cells and their types.
    pub generated: Vec<([f64; 2], Option<usize>)>,
}

/// One ROC curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RocCurve {
    /// What was told apart, and in which space.
    pub name: String,
    /// Area under it, as it is to be read.
    pub auc: String,
    /// Points, false against true positive rate.
    pub points: Vec<(f64, f64)>,
}

/// Correlations between genes, real ones above the diagonal and generated ones below.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triangle {
    /// The genes.
    pub genes: Vec<String>,
    /// Real correlations, row by row.
    pub real: Vec<f64>,
    /// Generated correlations, row by row.
    pub generated: Vec<f64>,
}

/// One gene in several types.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Violin {
    /// The gene.
    pub gene: String,
    /// The type it marks.
    pub marks: String,
    /// Its values.
    pub groups: Vec<ViolinGroup>,
}

/// Values of one gene in one type, subsampled by the caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ViolinGroup {
    /// The type.
    pub name: String,
    /// In real cells.
    pub real: Vec<f32>,
    /// In generated cells.
    pub generated: Vec<f32>,
}

/// Share of zeros of each gene.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ZeroShares {
    /// (real, generated) of each gene.
    pub genes: Vec<[f64; 2]>,
    /// Mean absolute difference.
    pub difference: f64,
}

/// One loss over the steps of training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LossCurve {
    /// Its name.
    pub name: String,
    /// Step and value.
    pub steps: Vec<(f64, f64)>,
}

/// Makes the page. The same report gives the same bytes.
#[must_use]
pub fn render_generation(report: &GenerationReport) -> String {
    let mut page = Page::open(&report.title, &report.subtitle);
    page.verdict(&report.verdict);
    page.warnings(&report.warnings);
    page.score(&report.score);
    page.out.push_str("<section id=\"figures\">\n<h2>Figures</h2>\n");
    let both = [("real cells".to_owned(), REAL), ("generated cells".to_owned(), GENERATED)];
    if let Some((c, svg)) = report.cloud.as_ref().and_then(|c| Some((c, cloud("cloud", c)?))) {
        let types = c.types.iter().enumerate().map(|(i, t)| (t.clone(), TYPES[i % TYPES.len()]));
        let names: Vec<_> = both.iter().cloned().chain(types).collect();
        page.figure(
            "cloud",
            "Real and generated cells",
            &format!("{}{svg}", legend_of(&names, Mark::Dot)),
            "All plots have the same axes. Left: real test cells and generated ones on top of each other; where generated \
             cells are real enough, both colours are everywhere mixed. Middle and right: the same cells apart, by type. A \
             cloud that is missing or thinner on the right was not learnt; one that is narrower varies too little.",
        );
    }
    if let Some(svg) = roc("roc", &report.roc) {
        let names: Vec<_> = report
            .roc
            .iter()
            .enumerate()
            .map(|(i, c)| (format!("{}: AUC {}", c.name, c.auc), TYPES[i % TYPES.len()]))
            .collect();
        page.figure(
            "roc",
            "Can a forest tell them apart?",
            &format!("{}{svg}", legend_of(&names, Mark::Line)),
            "ROC curves of random forests that were trained to tell real test cells from others, over all folds of a \
             cross-validation. On the dashed diagonal nothing can be told (AUC 0.5); a curve in the upper left corner tells \
             everything (AUC 1). The curve of real training cells shows what the test itself makes of equal cells.",
        );
    }
    if let Some(svg) = report.triangle.as_ref().and_then(|t| triangle("triangle", t)) {
        page.figure(
            "triangle",
            "Correlations of marker genes",
            &svg,
            "Above the diagonal: Pearson correlations in real test cells. Below: in generated cells. Genes are those that mark \
             the types, type after type. The two halves should mirror each other; a pale lower half means that genes were \
             drawn each by itself.",
        );
    }
    let violins: String = report
        .violins
        .iter()
        .enumerate()
        .filter_map(|(i, v)| violin(&format!("violin-{}", i + 1), v, &report.unit))
        .collect();
    if !violins.is_empty() {
        page.figure(
            "violins",
            "Marker genes in each type",
            &format!("{}<div class=\"two\">\n{violins}</div>\n", legend_of(&both, Mark::Dot)),
            &format!(
                "Each plot is a gene, named with the type it marks. Left half of each shape: real cells; right half: generated \
                 ones. Widths are square roots of shares of cells, so that rare values show; values are {}. The bulge at the bottom are the zeros. Halves should mirror \
                 each other, and the gene should stand out in its own type only.",
                escape(&report.unit)
            ),
        );
    }
    if let Some((z, svg)) = report.zeros.as_ref().and_then(|z| Some((z, zeros("zeros", z)?))) {
        page.figure(
            "zeros",
            "Zeros of each gene",
            &svg,
            &format!(
                "Each dot is a gene: the share of cells without it, in real cells (across) and in generated ones (up). Dots on \
                 the dashed line are right. The mean difference is {:.2} points.",
                100.0 * z.difference
            ),
        );
    }
    page.out.push_str("</section>\n");
    training(&mut page, report);
    page.close(&report.parameters, &report.provenance, &report.notes)
}

fn training(page: &mut Page, report: &GenerationReport) {
    let curves: Vec<(usize, &LossCurve, String)> = report
        .losses
        .iter()
        .enumerate()
        .filter_map(|(i, l)| Some((i, l, loss(&format!("loss-{}", i + 1), &l.steps)?)))
        .collect();
    if curves.is_empty() && report.acceptance.is_empty() {
        return;
    }
    page.out.push_str("<section id=\"training\">\n<h2>Training and generation</h2>\n");
    for (_, curve, svg) in &curves {
        page.figure(
            "loss",
            &format!("Loss: {}", curve.name),
            svg,
            "Where steps were many, the line is their mean and the band their range. A loss that still falls at the end wants \
             more steps; one that jumps wants a look at the data.",
        );
    }
    page.out.push_str(&pairs("Cells that were kept of those made", &report.acceptance));
    page.out.push_str("</section>\n");
}
