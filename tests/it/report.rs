//! The report page: well-formed, complete, self-contained, whatever the names and numbers are.

// Helpers outside a test function may fail like one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generation;

use std::collections::BTreeSet;

use scx::report::{
    Biaxial, Column, Level, MarkerValues, MedianChange, Medians, Panel, PcaCloud, Points, Report, Role,
    ScoreGroup, ScoreRow, ScoreTable, ScoreValue, Verdict, render,
};

const ODD: &str = "TNF<α> & \"IL-1\" 'b' </svg><script>";

fn points(role: Role, shift: f64) -> Points {
    let at = (0..60).map(|i| [f64::from(i % 7) + shift, f64::from(i % 11) - shift]).collect();
    Points { role, at }
}

fn groups() -> Vec<Points> {
    Role::ALL.iter().zip([0.0, 1.0, 0.2, 1.3, 1.1]).map(|(r, s)| points(*r, s)).collect()
}

fn values(shift: f32) -> Vec<f32> {
    (0..80u8).map(|i| f32::from(i % 13) * 0.3 + shift).collect()
}

fn whole() -> Report {
    let markers = ["CD4", "IFNg", ODD];
    let changes = markers
        .iter()
        .zip([0.1, 1.2, -0.4])
        .map(|(m, c)| MedianChange {
            marker: (*m).to_owned(),
            control_change: c,
            sample_change: 0.9 * c,
            true_change: Some(c * 0.95),
        })
        .collect();
    let densities = markers
        .iter()
        .map(|m| MarkerValues {
            marker: (*m).to_owned(),
            source_control: values(0.0),
            target_control: values(1.0),
            before: values(0.1),
            after: values(1.1),
            truth: Some(values(1.05)),
        })
        .collect();
    let value = |t: &str, best| ScoreValue { text: t.to_owned(), best };
    Report {
        title: "A correction".to_owned(),
        subtitle: "run1 to run2".to_owned(),
        unit: "arcsinh(x/5)".to_owned(),
        verdict: Verdict {
            headline: "All is well".to_owned(),
            details: vec!["because".to_owned()],
            level: Level::Good,
        },
        score: ScoreTable {
            columns: vec![Column::r(), Column::emd_mean()],
            groups: vec![ScoreGroup {
                name: "sample".to_owned(),
                rows: vec![
                    ScoreRow {
                        method: "neuron-edit".to_owned(),
                        chosen: true,
                        values: vec![value("0.96", true)],
                    },
                    ScoreRow { method: "none".to_owned(), ..ScoreRow::default() },
                ],
            }],
        },
        panels: vec![Panel {
            name: "sample".to_owned(),
            made_of: vec![("source control".to_owned(), ODD.to_owned())],
            medians: Medians {
                changes,
                r: Some(0.96),
                slope: Some(0.9),
                rmse: Some(0.1),
                r_true: Some(0.94),
            },
            pca: Some(PcaCloud { groups: groups(), explained: [0.5, 0.2] }),
            biaxial: Some(Biaxial {
                x: ODD.to_owned(),
                y: "IFNg".to_owned(),
                why: ODD.to_owned(),
                groups: groups(),
            }),
            densities,
        }],
        loss: (0..50).map(|i| (f64::from(i), 10.0 / f64::from(1 + i))).collect(),
        parameters: vec![("seed".to_owned(), "0".to_owned())],
        provenance: vec![("scx".to_owned(), "0.1.0".to_owned())],
        warnings: vec![ODD.to_owned()],
        notes: vec!["a note".to_owned()],
    }
}

/// Walks the tags: each one closed in order, attributes quoted, ids unique, references met.
fn check(html: &str) {
    let body = html.strip_prefix("<!DOCTYPE html>\n").expect("starts with the doctype");
    // Style sheets are not HTML.
    let (head, rest) = body.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let text = format!("{head}{rest}");
    let (mut open, mut ids, mut references) = (Vec::new(), BTreeSet::new(), Vec::new());
    for piece in text.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap_or_else(|| panic!("tag without end: {piece}"));
        assert!(!after.contains('>'), "stray > after <{tag}>");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closing tag out of order");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "unpaired quote: <{tag}>");
        let name = tag.split([' ', '/']).next().unwrap();
        for (i, part) in tag.split('"').enumerate() {
            let attribute = tag.split('"').nth(i.wrapping_sub(1)).unwrap_or("").rsplit(' ').next().unwrap();
            if i % 2 == 1 && attribute == "id=" {
                assert!(ids.insert(part.to_owned()), "id {part} twice");
            }
            if i % 2 == 1 && attribute == "aria-labelledby=" {
                references.extend(part.split(' ').map(str::to_owned));
            }
            if i % 2 == 1 && attribute == "clip-path=" {
                references.push(part.trim_start_matches("url(#").trim_end_matches(')').to_owned());
            }
            if i % 2 == 1 && attribute == "href=" {
                references.push(part.strip_prefix('#').expect("only links within the page").to_owned());
            }
        }
        if !(tag.ends_with('/') || ["meta", "br"].contains(&name)) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    for r in references {
        assert!(ids.contains(&r), "reference to {r}, which is not there");
    }
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        assert!(!["NaN", "inf", "Infinity", "nan", "infinity"].contains(&word), "{word} on the page");
    }
}

/// Nothing that would make a browser ask the network or run something.
fn check_alone(html: &str) {
    for word in
        ["http:", "https:", "//", "<script", "<link", "<img", "<iframe", "@import", "src=", " on", "url("]
    {
        for (at, _) in html.match_indices(word) {
            let near: String = html[at..].chars().take(24).collect();
            let harmless = near.starts_with("url(#")
                || (word == " on" && !near.split(' ').nth(1).unwrap().contains('='));
            assert!(harmless, "{near}");
        }
    }
}

#[test]
fn the_page_parses_and_stands_alone() {
    let html = render(&whole());
    check(&html);
    check_alone(&html);
}

#[test]
fn the_page_names_every_figure_and_the_verdict_comes_first() {
    let html = render(&whole());
    let mut last = 0;
    for part in [
        "All is well",
        "id=\"warnings\"",
        "id=\"score\"",
        "class=\"medians\" id=\"figure-1\"",
        "class=\"pca\" id=\"figure-2\"",
        "class=\"biaxial\" id=\"figure-3\"",
        "class=\"densities\" id=\"figure-4\"",
        "class=\"loss\" id=\"figure-5\"",
        "id=\"parameters\"",
        "id=\"notes\"",
    ] {
        let at = html.find(part).unwrap_or_else(|| panic!("no {part}"));
        assert!(at > last, "{part} is out of order");
        last = at;
    }
    assert_eq!(html.matches("How to read this.").count(), 5);
    assert!(html.contains("r = 0.960") && html.contains("slope = 0.900") && html.contains("r_true = 0.940"));
    assert!(html.contains("cannot choose a method by itself"));
    assert!(html.contains("PC1 (50.0 % of variance)"));
    assert!(html.contains("arcsinh(x/5)"));
}

#[test]
fn names_from_files_are_escaped_wherever_they_appear() {
    let html = render(&whole());
    assert!(!html.contains("<α>") && !html.contains("<script"));
    // Warning, source file, biaxial title and reason, medians tip, density title: each place that shows it whole.
    let escaped = "TNF&lt;α&gt; &amp; &quot;IL-1&quot; &#39;b&#39; &lt;/svg&gt;&lt;script&gt;";
    assert!(html.matches(escaped).count() >= 6, "{}", html.matches(escaped).count());
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(render(&whole()), render(&whole()));
}

#[test]
fn an_empty_report_is_a_page() {
    let html = render(&Report::default());
    check(&html);
    assert!(!html.contains("<figure"));
}

#[test]
fn a_panel_without_numbers_is_a_heading_without_figures() {
    let empty = Panel {
        name: "sample".to_owned(),
        pca: Some(PcaCloud::default()),
        biaxial: Some(Biaxial::default()),
        densities: vec![MarkerValues { marker: "CD4".to_owned(), ..MarkerValues::default() }],
        ..Panel::default()
    };
    let html = render(&Report { panels: vec![empty], ..Report::default() });
    check(&html);
    assert!(html.contains("<h2>sample</h2>") && !html.contains("<figure"));
}

#[test]
fn without_a_holdout_the_shifts_stand_as_a_table_beside_the_plot() {
    let mut report = whole();
    for p in &mut report.panels {
        p.medians.r_true = None;
        p.medians.changes.iter_mut().for_each(|c| c.true_change = None);
        p.densities.iter_mut().for_each(|d| d.truth = None);
        if let Some(b) = &mut p.biaxial {
            b.groups.retain(|g| g.role != Role::Truth);
        }
    }
    let html = render(&report);
    check(&html);
    assert!(html.contains("Markers that drifted most"));
    assert!(!html.contains("truth"), "speaks of a truth that is not there");
}

#[test]
fn numbers_that_are_not_finite_are_left_out() {
    let mut report = whole();
    report.loss.extend([(50.0, f64::NAN), (f64::INFINITY, 1.0), (51.0, f64::NEG_INFINITY)]);
    for p in &mut report.panels {
        p.medians.r = Some(f64::NAN);
        p.medians.slope = Some(f64::INFINITY);
        p.medians.changes[0].control_change = f64::NAN;
        p.medians.changes[1].true_change = Some(f64::NEG_INFINITY);
        for d in &mut p.densities {
            d.after[3] = f32::NAN;
            d.before[4] = f32::INFINITY;
        }
        if let Some(c) = &mut p.pca {
            c.explained = [f64::NAN, 0.1];
            c.groups[0].at[0] = [f64::NAN, 1.0];
            c.groups[1].at[0] = [f64::MAX, -f64::MAX];
        }
    }
    let html = render(&report);
    check(&html);
    assert!(!html.contains("r = ") && !html.contains("slope = "));
    assert!(html.contains("RMSE = 0.100"));
}

#[test]
fn one_constant_marker_still_gives_every_figure() {
    let mut report = whole();
    let at = |role| Points { role, at: vec![[2.0, 2.0]; 30] };
    report.panels = vec![Panel {
        name: "sample".to_owned(),
        medians: Medians {
            changes: vec![MedianChange { marker: "CD4".to_owned(), ..MedianChange::default() }],
            ..Medians::default()
        },
        pca: Some(PcaCloud { groups: Role::ALL.map(at).to_vec(), explained: [0.0, 0.0] }),
        biaxial: Some(Biaxial { groups: Role::ALL.map(at).to_vec(), ..Biaxial::default() }),
        densities: vec![MarkerValues {
            marker: "CD4".to_owned(),
            source_control: vec![0.0; 5],
            before: vec![0.0],
            ..MarkerValues::default()
        }],
        ..Panel::default()
    }];
    report.loss = vec![(0.0, 0.0)];
    let html = render(&report);
    check(&html);
    assert_eq!(html.matches("<figure").count(), 5);
}

#[test]
fn several_panels_have_links_and_ids_of_their_own() {
    let mut report = whole();
    let again = report.panels[0].clone();
    report.panels.push(again);
    let html = render(&report);
    check(&html);
    assert!(html.contains("href=\"#p2\""));
    assert!(html.contains("class=\"loss\" id=\"figure-9\""));
}

#[test]
fn two_thousand_cells_in_each_group_stay_below_a_megabyte_and_a_half() {
    let mut report = whole();
    let many = |role| Points {
        role,
        at: (0..2000).map(|i| [(f64::from(i) * 0.7).sin() * 3.3, (f64::from(i) * 1.3).cos() * 4.7]).collect(),
    };
    let p = &mut report.panels[0];
    p.pca = Some(PcaCloud { groups: Role::ALL.map(many).to_vec(), explained: [0.3, 0.2] });
    p.biaxial = Some(Biaxial { groups: Role::ALL.map(many).to_vec(), ..Biaxial::default() });
    let one = p.densities[0].clone();
    p.densities = vec![one; 40];
    let size = render(&report).len();
    assert!(size < 1_500_000, "{size} bytes");
}
