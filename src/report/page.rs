//! The page: what comes in which order, and the words around the figures.

use std::fmt::Write as _;

use super::html::{Mark, escape, legend, list, pairs, score};
use super::plots::{Against, biaxial, change_plot, density, loss, pca};
use super::scale::number;
use super::{Level, MedianChange, Panel, Points, Report, Role, ScoreTable, Verdict};

const STYLE: &str = include_str!("style.css");

/// Makes the page. The same report gives the same bytes.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut page = Page::open(&report.title, &report.subtitle);
    page.verdict(&report.verdict);
    page.contents(report);
    page.warnings(&report.warnings);
    page.score(&report.score);
    for (i, panel) in report.panels.iter().enumerate() {
        page.panel(i + 1, panel, report);
    }
    page.training(report);
    page.close(&report.parameters, &report.provenance, &report.notes)
}

/// A page under way.
pub(super) struct Page {
    pub(super) out: String,
    figures: usize,
}

impl Page {
    /// The head of a page.
    pub(super) fn open(title: &str, subtitle: &str) -> Self {
        let mut page = Self { out: String::new(), figures: 0 };
        let title = escape(title);
        // The policy forbids the page to fetch or run anything, whatever a name in a file tried to put into it.
        let _ = write!(
            page.out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n"
        );
        if !subtitle.is_empty() {
            let _ = writeln!(page.out, "<p class=\"subtitle\">{}</p>", escape(subtitle));
        }
        page.out.push_str("</header>\n");
        page
    }

    /// The table of methods against measures, where there is one.
    pub(super) fn score(&mut self, table: &ScoreTable) {
        if !table.columns.is_empty() {
            self.out.push_str("<section id=\"score\">\n<h2>Score</h2>\n");
            self.out.push_str(&score(table));
            self.out.push_str("</section>\n");
        }
    }

    pub(super) fn verdict(&mut self, v: &Verdict) {
        let (class, word, sign) = match v.level {
            Level::Good => ("good", "good", "M5 12.5l5 5L19.5 7"),
            Level::Caution => ("caution", "with caution", "M12 5v9M12 18.5v.1"),
            Level::Bad => ("bad", "do not rely on it", "M6 6l12 12M18 6L6 18"),
            Level::Unjudged => ("none", "none", "M6 12h12"),
        };
        let _ = writeln!(
            self.out,
            "<section id=\"verdict\" class=\"{class}\">\n<svg class=\"sign\" viewBox=\"0 0 24 24\" width=\"44\" \
             height=\"44\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"12\"/><path d=\"{sign}\"/></svg>\n\
             <div>\n<p class=\"level\">Verdict: {word}</p>\n<h2>{}</h2>\n{}</div>\n</section>",
            escape(&v.headline),
            list(&v.details)
        );
    }

    /// Ways to the panels, where there are several.
    fn contents(&mut self, report: &Report) {
        if report.panels.len() < 2 {
            return;
        }
        self.out.push_str("<nav aria-label=\"on this page\"><b>On this page:</b>");
        for (i, panel) in report.panels.iter().enumerate() {
            let _ = write!(self.out, " <a href=\"#p{}\">{}</a>", i + 1, escape(&panel.name));
        }
        self.out.push_str("</nav>\n");
    }

    pub(super) fn warnings(&mut self, warnings: &[String]) {
        if !warnings.is_empty() {
            let _ = writeln!(
                self.out,
                "<section id=\"warnings\">\n<h2>Warnings</h2>\n{}</section>",
                list(warnings)
            );
        }
    }

    fn panel(&mut self, number: usize, panel: &Panel, report: &Report) {
        let prefix = format!("p{number}");
        let _ =
            writeln!(self.out, "<section class=\"panel\" id=\"{prefix}\">\n<h2>{}</h2>", escape(&panel.name));
        if !panel.made_of.is_empty() {
            self.out.push_str("<p class=\"made-of\">");
            for (name, what) in &panel.made_of {
                let _ = write!(self.out, "<span><b>{}</b> {}</span> ", escape(name), escape(what));
            }
            self.out.push_str("</p>\n");
        }
        self.medians(&prefix, panel, &report.unit);
        self.pca(&prefix, panel);
        self.biaxial(&prefix, panel, &report.unit);
        self.densities(&prefix, panel, &report.unit);
        self.out.push_str("</section>\n");
    }

    fn medians(&mut self, prefix: &str, panel: &Panel, unit: &str) {
        let m = &panel.medians;
        let controls = change_plot(&format!("{prefix}-medians"), m, Against::Controls, unit);
        let Some(controls) = controls else { return };
        let truth = change_plot(&format!("{prefix}-truth"), m, Against::Truth, unit);
        let more = if truth.is_some() {
            " Right: the change that really was needed, known from a held-out measurement of the same cells; \
             dots on the line were corrected by the right amount."
        } else {
            " A dot off the line is not wrong by itself: cells that the controls lack may need another change, \
             and only a held-out control can show which."
        };
        let beside = truth.unwrap_or_else(|| largest_shifts(&m.changes));
        self.figure(
            "medians",
            "Change of medians: controls against sample",
            &format!("<div class=\"pair\">\n{controls}{beside}</div>\n"),
            &format!(
                "Each dot is a marker. Across: how far its median moved from the source control to the target \
                 control. Up: how far the correction moved it in the sample. Dots on the dashed line moved in the \
                 sample as they did in the controls.{more}"
            ),
        );
    }

    fn pca(&mut self, prefix: &str, panel: &Panel) {
        let Some(cloud) = &panel.pca else { return };
        let Some(svg) = pca(&format!("{prefix}-pca"), cloud) else { return };
        let roles = roles_of(&cloud.groups, &[Role::Truth]);
        let arrows = "<span><svg width=\"24\" height=\"14\" aria-hidden=\"true\"><path class=\"drift-head\" \
                      d=\"M0 6h15v-4l8 5l-8 5v-4h-15z\"/></svg>move of a median</span>";
        self.figure(
            "pca",
            "Principal components of controls and sample",
            &format!("{}{svg}", legend(&roles, Mark::Dot, arrows)),
            "Each speck is a cell, each large dot the median of its group; both plots have the same axes. Left: as \
             measured. Right: the corrected sample with the target control. The sample's clouds should have moved as \
             the controls' did and kept their shape. Cells beyond the axes lie on the frame.",
        );
    }

    fn biaxial(&mut self, prefix: &str, panel: &Panel, unit: &str) {
        let Some(b) = &panel.biaxial else { return };
        let Some(svg) = biaxial(&format!("{prefix}-biaxial"), b, unit) else { return };
        let why = if b.why.is_empty() { String::new() } else { format!(" ({})", b.why) };
        self.figure(
            "biaxial",
            &format!("{} against {}{why}", b.y, b.x),
            &format!("{}{svg}", legend(&roles_of(&b.groups, &[]), Mark::Dot, "")),
            "All plots have the same axes. Dotted lines mark the median of the sample before. A batch effect shows as \
             the arrow between the controls; the correction should move the sample the same way. Populations that only \
             the sample has must still be there afterwards.",
        );
    }

    fn densities(&mut self, prefix: &str, panel: &Panel, unit: &str) {
        let plots: String = panel
            .densities
            .iter()
            .enumerate()
            .filter_map(|(i, m)| density(&format!("{prefix}-density-{}", i + 1), m))
            .collect();
        if plots.is_empty() {
            return;
        }
        let truth = panel.densities.iter().any(|m| m.truth.as_ref().is_some_and(|t| !t.is_empty()));
        let roles: Vec<Role> = Role::ALL.into_iter().filter(|r| truth || *r != Role::Truth).collect();
        let unit = if unit.is_empty() { String::new() } else { format!(", on the scale {}", escape(unit)) };
        self.figure(
            "densities",
            "Densities per marker, before and after",
            &format!("{}<div class=\"grid-of-plots\">\n{plots}</div>\n", legend(&roles, Mark::Line, "")),
            &format!(
                "Values run across{unit}; the height is the share of cells, drawn to the tallest peak of each marker. \
                 The step from the dashed line to the blue one is the drift between the runs; the step from the red \
                 line to the filled one is what the correction did about it. Markers where the two differ deserve a look."
            ),
        );
    }

    fn training(&mut self, report: &Report) {
        let Some(svg) = loss("training-loss", &report.loss) else { return };
        self.out.push_str("<section id=\"training\">\n<h2>Training</h2>\n");
        self.figure(
            "loss",
            "Loss curve",
            &svg,
            "The loss should fall and then stay level. One that still falls at the end wants more steps; one that \
             rises or jumps wants a look at the data. Where steps were many, the line is their mean and the band \
             their range.",
        );
        self.out.push_str("</section>\n");
    }

    /// The end of the page, and all of it.
    pub(super) fn close(
        mut self,
        parameters: &[(String, String)],
        provenance: &[(String, String)],
        notes: &[String],
    ) -> String {
        if !(parameters.is_empty() && provenance.is_empty()) {
            let _ = write!(
                self.out,
                "<section id=\"parameters\">\n<h2>Parameters and provenance</h2>\n<div class=\"pair\">\n{}{}</div>\n</section>\n",
                pairs("Parameters", parameters),
                pairs("Provenance", provenance)
            );
        }
        if !notes.is_empty() {
            let _ = write!(self.out, "<section id=\"notes\">\n<h2>Notes</h2>\n{}</section>\n", list(notes));
        }
        self.out.push_str(
            "<footer>Made by scx. This page is one file: it runs no script and loads nothing.</footer>\n",
        );
        self.out.push_str("</main>\n</body>\n</html>\n");
        self.out
    }

    /// `title` and `how` are text; `content` is HTML.
    pub(super) fn figure(&mut self, kind: &str, title: &str, content: &str, how: &str) {
        self.figures += 1;
        let n = self.figures;
        let _ = write!(
            self.out,
            "<figure class=\"{kind}\" id=\"figure-{n}\">\n<h3><span>Figure {n}.</span> {}</h3>\n{content}\
             <figcaption><b>How to read this.</b> {how}</figcaption>\n</figure>\n",
            escape(title)
        );
    }
}

fn roles_of(groups: &[Points], but: &[Role]) -> Vec<Role> {
    let has = |r: &Role| groups.iter().any(|g| g.role == *r && !g.at.is_empty());
    Role::ALL.into_iter().filter(|r| has(r) && !but.contains(r)).collect()
}

/// The markers whose controls moved most, as numbers.
fn largest_shifts(changes: &[MedianChange]) -> String {
    let mut order: Vec<&MedianChange> = changes.iter().filter(|c| c.control_change.is_finite()).collect();
    order.sort_by(|a, b| b.control_change.abs().total_cmp(&a.control_change.abs()));
    let mut out = String::from(
        "<table class=\"shifts\">\n<caption>Markers that drifted most</caption>\n<thead><tr><th scope=\"col\">marker</th>\
         <th scope=\"col\">controls</th><th scope=\"col\">sample</th><th scope=\"col\">difference</th></tr></thead>\n<tbody>\n",
    );
    for c in order.iter().take(14) {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&c.marker),
            number(c.control_change, 2),
            number(c.sample_change, 2),
            number(c.sample_change - c.control_change, 2)
        );
    }
    out.push_str("</tbody></table>\n");
    out
}
