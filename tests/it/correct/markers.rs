//! Which channels are corrected when nothing is asked for, on real panels, and how others are asked for.

use crate::support::{self, FILES, real, x};

/// The markers a dry run on real files would correct.
fn chosen(control: &str, other: &str) -> Option<Vec<String>> {
    let (a, b) = (real(control)?, real(other)?);
    let dir = support::Dir::new();
    let (a, b) = (a.display(), b.display());
    let run = dir.scx(&format!("correct --spikein {a} {b} --sample {a} -o o.fcs --dry-run")).ok();
    let line = run.stderr.lines().find(|l| l.contains(" markers (")).unwrap_or_default().to_owned();
    let (_, names) = line.split_once("): ").expect("the choice is printed");
    let names: Vec<String> = names.split(", ").map(str::to_owned).collect();
    assert!(line.starts_with(&format!("{} markers", names.len())), "{line}");
    assert!(dir.names().is_empty());
    Some(names)
}

#[test]
fn thirty_five_markers_are_chosen_on_cytofin() {
    let root = "fcs/cytofin";
    let Ok(data) = std::env::var("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return;
    };
    let mut files: Vec<String> = std::fs::read_dir(format!("{data}/{root}"))
        .unwrap()
        .map(|f| format!("{root}/{}", f.unwrap().file_name().to_string_lossy()))
        .collect();
    files.sort();
    let names = chosen(&files[0], &files[1]).unwrap();
    assert_eq!(names.len(), 35, "{names:?}");
    for no in ["Time", "Width", "DNA"] {
        assert!(!names.iter().any(|n| n.eq_ignore_ascii_case(no)), "{no} is no marker: {names:?}");
    }
}

#[test]
fn thirty_seven_markers_are_chosen_on_cytonorm() {
    let file = |n| format!("fcs/cytonorm/Gates_PTLG0{n}_Unstim_Control_1.fcs");
    let Some(names) = chosen(&file(21), &file(28)) else { return };
    assert_eq!(names.len(), 37, "{names:?}");
}

#[test]
fn only_the_markers_asked_for_move() {
    let dir = support::files();
    dir.scx(&format!("{FILES} -o o.fcs --steps 20 --markers CD3,ifng"))
        .ok()
        .says(&["2 markers", "CD3, IFNg"]);
    let (was, is) = (x(&dir, "s.fcs"), x(&dir, "o.fcs"));
    let moved: Vec<&str> = scx::simulate::MARKERS
        .into_iter()
        .enumerate()
        .filter(|(j, _)| was.column(*j) != is.column(*j))
        .map(|(_, m)| m)
        .collect();
    assert_eq!(moved, ["CD3", "IFNg"]);
    dir.scx(&format!("{FILES} -o p.fcs --steps 20 --markers ^CCR"))
        .ok()
        .says(&["3 markers", "CCR4, CCR6, CCR7"]);
    dir.refuses(2, &format!("{FILES} -o q.fcs --markers CD3,IFNy"), &["IFNy", "did you mean IFNg?"]);
    dir.refuses(2, &format!("{FILES} -o q.fcs --markers ^zz"), &["c1.fcs", "^zz", "called", "matches"]);
    dir.refuses(2, &format!("{FILES} -o q.fcs --markers (CD"), &["(CD", "pattern", "unclosed group"]);
}
