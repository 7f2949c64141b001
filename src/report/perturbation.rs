//! The page that shows a predicted response: numbers in, one self-contained file out.

use super::html::{Mark, escape, legend_of};
use super::page::Page;
use super::plots::{GENERATED, REAL, TYPES, clouds_of, scatter, violins_of};
use super::{ScoreTable, Verdict};

/// All a page on a prediction shows. What is empty is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PerturbationReport {
    /// Heading of the page.
    pub title: String,
    /// What was predicted, in one line.
    pub subtitle: String,
    /// The scale of values, as axes name it.
    pub unit: String,
    /// What to think of it.
    pub verdict: Verdict,
    /// Models against measures.
    pub score: ScoreTable,
    /// Predicted against other means and variances.
    pub scatters: Vec<GeneScatter>,
    /// Genes that respond most, over sets of cells.
    pub violins: Vec<SetViolin>,
    /// Cells on two components, by set.
    pub cloud: Option<SetCloud>,
    /// Rules and their weights, by what they are rules of.
    pub weights: Vec<(String, Vec<(String, String)>)>,
    /// Settings, name and value.
    pub parameters: Vec<(String, String)>,
    /// Where the numbers come from.
    pub provenance: Vec<(String, String)>,
    /// What the reader must know.
    pub warnings: Vec<String>,
    /// Remarks of less weight.
    pub notes: Vec<String>,
}

/// One figure of each gene, on two axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeneScatter {
    /// Heading.
    pub title: String,
    /// What runs across.
    pub x: String,
    /// What runs up.
    pub y: String,
    /// Each gene; those of the second kind have a name.
    pub genes: Vec<([f64; 2], Option<String>)>,
    /// What agrees how well, in words.
    pub says: String,
}

/// One gene over several sets of cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetViolin {
    /// The gene.
    pub gene: String,
    /// Name and values of each set.
    pub sets: Vec<(String, Vec<f32>)>,
}

/// Cells of several sets on two axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetCloud {
    /// Name of the horizontal axis.
    pub x: String,
    /// Name of the vertical axis.
    pub y: String,
    /// Name and places of each set.
    pub sets: Vec<(String, Vec<[f64; 2]>)>,
}

/// Colour of a set: control, predicted, real, and others.
pub(super) fn colour(set: usize) -> &'static str {
    [TYPES[12], GENERATED, REAL].get(set).copied().unwrap_or(TYPES[(set + 2) % TYPES.len()])
}

/// Makes the page. The same report gives the same bytes.
#[must_use]
pub fn render_perturbation(report: &PerturbationReport) -> String {
    let mut page = Page::open(&report.title, &report.subtitle);
    page.verdict(&report.verdict);
    page.warnings(&report.warnings);
    page.score(&report.score);
    page.out.push_str("<section id=\"figures\">\n<h2>Figures</h2>\n");
    let scatters: String = report
        .scatters
        .iter()
        .enumerate()
        .filter_map(|(i, s)| scatter(&format!("genes-{}", i + 1), s))
        .collect();
    if !scatters.is_empty() {
        let says: Vec<String> = report.scatters.iter().map(|s| escape(&s.says)).collect();
        page.figure(
            "genes",
            "Means and variances of genes",
            &format!("<div class=\"pair\">\n{scatters}</div>\n"),
            &format!(
                "Each dot is a gene; dots on the dashed line agree. The genes that respond most are named. {}",
                says.join(" ")
            ),
        );
    }
    let violins: String = report
        .violins
        .iter()
        .enumerate()
        .filter_map(|(i, v)| violins_of(&format!("violin-{}", i + 1), v, &report.unit))
        .collect();
    if !violins.is_empty() {
        page.figure(
            "violins",
            "Genes that respond most",
            &format!("<div class=\"two\">\n{violins}</div>\n"),
            &format!(
                "One shape for each set of cells; values are {}. Widths are square roots of shares of cells, so that rare \
                 values show; the bulge at the bottom are the zeros. The predicted shape should look like the real one, and not \
                 like the control cells.",
                escape(&report.unit)
            ),
        );
    }
    if let Some((c, svg)) = report.cloud.as_ref().and_then(|c| Some((c, clouds_of("cloud", c)?))) {
        let names: Vec<_> = c.sets.iter().enumerate().map(|(i, s)| (s.0.clone(), colour(i))).collect();
        page.figure(
            "cloud",
            "Cells on principal components",
            &format!("{}{svg}", legend_of(&names, Mark::Dot)),
            "Each speck is a cell. Predicted cells should have left the control cells and lie where real cells of the target \
             condition lie: those of the same type where they were measured, else on their side of the other types.",
        );
    }
    page.out.push_str("</section>\n");
    if !report.weights.is_empty() {
        page.out.push_str(
            "<section id=\"weights\">\n<h2>What the prediction is made of</h2>\n<div class=\"pair\">\n",
        );
        for (name, rows) in &report.weights {
            page.out.push_str(&super::html::pairs(name, rows));
        }
        page.out.push_str("</div>\n</section>\n");
    }
    page.close(&report.parameters, &report.provenance, &report.notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_genes_and_weights_and_escapes_them() {
        let report = PerturbationReport {
            title: "NK <stimulated>".into(),
            unit: "log1p".into(),
            scatters: vec![GeneScatter {
                title: "Means".into(),
                x: "predicted".into(),
                y: "real".into(),
                genes: vec![
                    ([0.0, 0.1], None),
                    ([2.0, 1.9], Some("ISG15".into())),
                    ([f64::NAN, 1.0], Some("X".into())),
                ],
                says: "R² of means 0.95.".into(),
            }],
            violins: vec![SetViolin {
                gene: "ISG<15".into(),
                sets: vec![
                    ("control".into(), vec![0.0, 0.1]),
                    ("predicted".into(), vec![2.0, 2.5]),
                    ("real".into(), vec![]),
                ],
            }],
            cloud: Some(SetCloud {
                x: "PC1".into(),
                y: "PC2".into(),
                sets: vec![
                    ("control".into(), vec![[0.0, 0.0]]),
                    ("predicted".into(), vec![[1.0, 2.0], [1.5, 1.0]]),
                ],
            }),
            weights: vec![("Rules of the mean".into(), vec![("ridge".into(), "0.5".into())])],
            ..PerturbationReport::default()
        };
        let page = render_perturbation(&report);
        assert!(
            page.contains(">ISG15<") && page.contains("ISG&lt;15") && page.contains("NK &lt;stimulated&gt;")
        );
        assert!(page.contains("Rules of the mean") && page.contains("R² of means 0.95."));
        assert!(!page.contains("NaN") && page.contains("id=\"cloud\"") || page.contains("cloud-t"));
        assert_eq!(page, render_perturbation(&report));
        let bare = render_perturbation(&PerturbationReport::default());
        assert!(!bare.contains("<figure"));
    }
}
