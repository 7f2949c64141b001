//! The page on generated cells, by the same rules.

use scx::report::{
    Cloud, Column, GenerationReport, Level, LossCurve, RocCurve, ScoreGroup, ScoreRow, ScoreTable, Triangle,
    Verdict, Violin, ViolinGroup, ZeroShares, render_generation,
};

use super::{ODD, check, check_alone};

fn whole() -> GenerationReport {
    let odd = || ODD.to_owned();
    let cells = |shift: f64| {
        (0..50u8)
            .map(|i| {
                ([f64::from(i % 7) + shift, f64::from(i % 11)], (i % 3 < 2).then_some(usize::from(i % 2)))
            })
            .collect::<Vec<_>>()
    };
    let group = |name: &str| ViolinGroup {
        name: name.to_owned(),
        real: (0..40u8).map(|i| f32::from(i % 5)).collect(),
        generated: vec![0.0, f32::NAN, 2.0],
    };
    GenerationReport {
        title: odd(),
        subtitle: odd(),
        unit: "ln(1 + counts per 20000)".into(),
        verdict: Verdict { headline: odd(), details: vec![odd()], level: Level::Caution },
        score: ScoreTable {
            columns: vec![Column::new(odd(), odd())],
            groups: vec![ScoreGroup {
                name: String::new(),
                rows: vec![ScoreRow { method: odd(), ..ScoreRow::default() }],
            }],
        },
        cloud: Some(Cloud {
            x: odd(),
            y: odd(),
            types: vec![odd(), "B".into()],
            real: cells(0.0),
            generated: cells(1.0),
        }),
        roc: vec![RocCurve {
            name: odd(),
            auc: "0.6".into(),
            points: vec![(0.0, 0.0), (0.3, 0.8), (1.0, 1.0)],
        }],
        triangle: Some(Triangle {
            genes: vec![odd(), "B".into(), "C".into()],
            real: vec![0.5; 9],
            generated: vec![f64::NAN, 0.1, -0.5, 1.0, 0.0, 2.0, 0.3, 0.2, 0.1],
        }),
        violins: vec![Violin { gene: odd(), marks: odd(), groups: vec![group(ODD), group("B")] }],
        zeros: Some(ZeroShares { genes: vec![[0.5, 0.6], [f64::NAN, 0.1]], difference: 0.1 }),
        losses: vec![LossCurve { name: odd(), steps: vec![(0.0, 2.0), (1.0, 1.0)] }],
        acceptance: vec![(odd(), "90 %".into())],
        parameters: vec![(odd(), odd())],
        provenance: vec![(odd(), odd())],
        warnings: vec![odd()],
        notes: vec![odd()],
    }
}

#[test]
fn the_page_parses_stands_alone_and_shows_everything() {
    let html = render_generation(&whole());
    check(&html);
    check_alone(&html);
    assert_eq!(html.matches("<figure class").count(), 6);
    assert!(!html.contains("<script>") && !html.contains("NaN"));
    assert_eq!(html, render_generation(&whole()));
}

#[test]
fn an_empty_report_is_a_page() {
    let html = render_generation(&GenerationReport::default());
    check(&html);
    assert!(!html.contains("<figure"));
}
