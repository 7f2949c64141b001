//! Pairing of panels that differ.

use super::*;
use crate::data::{Column, Frame, Index};

fn fcs(channels: &[(&str, &str)]) -> Frame {
    let text = |f: fn(&(&str, &str)) -> String| channels.iter().map(f).collect::<Vec<_>>();
    let index = (0..channels.len()).map(|i| format!("v{i}")).collect();
    Frame::new(Index::names(index))
        .with("marker", Column::Strings(text(|c| c.1.into())))
        .with("channel", Column::Strings(text(|c| c.0.into())))
}

fn pair(panels: &[&[(&str, &str)]], panel: Option<&str>, asked: Option<&str>) -> Result<Pairing, String> {
    let frames: Vec<Frame> = panels.iter().map(|p| fcs(p)).collect();
    let name = |i: usize| format!("{}.fcs", ["a", "b", "c"][i]);
    let files: Vec<File<'_>> = frames.iter().enumerate().map(|(i, f)| File::new(name(i), f)).collect();
    let panel = panel.map(|text| PanelFile::parse("panel.csv", text).unwrap());
    Pairing::of(&files, panel.as_ref(), asked).map_err(|e| e.to_string())
}

fn names(p: &Pairing) -> Vec<&str> {
    p.markers.iter().map(|m| m.name.as_str()).collect()
}

/// Marker and how it was paired, of pairs that stains alone did not make.
fn unequal(p: &Pairing) -> Vec<(&str, How)> {
    p.unequal().map(|p| (p.marker.as_str(), p.how)).collect()
}

const A: &[(&str, &str)] =
    &[("Time", "Time"), ("Nd145Di", "145Nd_CD4"), ("Er168Di", "CD8a"), ("Nd148Di", "HLA-DR")];

#[test]
fn order_spelling_and_metal_may_differ_and_every_unequal_pair_is_listed() {
    let b = &[("Nd148Di", "hla dr"), ("Er168Di", "CD8a"), ("Dy164Di", "164Dy_CD4"), ("Time", "")];
    let p = pair(&[A, b], None, None).unwrap();
    assert_eq!(names(&p), ["CD4", "CD8a", "HLA-DR"]);
    assert_eq!(p.columns, [[1, 2, 3], [2, 1, 0]]);
    assert_eq!(unequal(&p), [("CD4", How::FoldedStain), ("HLA-DR", How::FoldedStain)]);
    assert_eq!((p.left.len(), p.others[0].reason), (0, Reason::Time));
}

#[test]
fn another_stain_or_none_on_the_channel_leaves_the_marker_out_and_names_both() {
    for (stain, why, says) in [
        ("CD38", Why::OtherStain, "carries HLA-DR in a.fcs and CD38 in b.fcs"),
        ("", Why::NoStain, "carries HLA-DR in a.fcs and has no stain in b.fcs"),
    ] {
        let b = &[("Nd145Di", "CD4"), ("Er168Di", "CD8a"), ("Nd148Di", stain)];
        let p = pair(&[A, b], None, None).unwrap();
        assert_eq!(names(&p), ["CD4", "CD8a"]);
        assert_eq!((p.left.len(), p.left[0].why), (1, why));
        assert!(p.left[0].sentence("a.fcs").contains(says), "{:?}", p.left);
        // Asked for by name it is an error, with a list that works.
        let e = pair(&[A, b], None, Some("HLA-DR,CD4")).unwrap_err();
        assert!(e.starts_with("b.fcs: ") && e.contains(says) && e.contains("--markers CD4,"), "{e}");
        assert_eq!(names(&pair(&[A, b], None, Some("CD4")).unwrap()), ["CD4"]);
        // The other way round as well.
        let p = pair(&[b, A], None, None).unwrap();
        assert_eq!((names(&p), p.left.len()), (vec!["CD4", "CD8a"], 1), "{:?}", p.left);
    }
    let b = &[("Nd145Di", "CD4"), ("Er168Di", "CD8a"), ("Nd148Di", "CD38")];
    let e = pair(&[A, b], None, Some("CD38")).unwrap_err();
    assert!(
        e.contains("--markers asks for CD38") && e.contains("a.fcs has HLA-DR on channel Nd148Di"),
        "{e}"
    );
    let e = pair(&[A, b], None, Some("CD39")).unwrap_err();
    assert!(e.contains("no marker is called CD39"), "{e}");
}

#[test]
fn a_missing_channel_is_refused_with_the_markers_all_files_have() {
    let b = &[("Nd145Di", "CD4"), ("Er168Di", "CD8a")];
    let c = &[("Er168Di", "CD8a"), ("Nd148Di", "HLADR"), ("Z", "CCR6")];
    let e = pair(&[A, b, c], None, None).unwrap_err();
    assert!(
        e.starts_with("b.fcs: ") && e.contains("only in a.fcs: HLA-DR") && e.ends_with("--markers CD8a"),
        "{e}"
    );
    let e = pair(&[A, c], None, None).unwrap_err();
    assert!(e.contains("only in a.fcs: CD4; only in b.fcs: CCR6"), "{e}");
    assert_eq!(pair(&[A, b, c], None, Some("CD8a")).unwrap().columns, [[2], [1], [0]]);
}

#[test]
fn a_panel_file_pairs_what_names_do_not() {
    let b = &[("Nd145Di", "CD4"), ("Er168Di", "CD8a"), ("Nd148Di", "")];
    let rows = "channel,marker,role,cofactor\nNd145Di,CD4,,\nEr168Di,CD8,none,\nNd148Di,HLA-DR,state,150\n";
    let p = pair(&[A, b], Some(rows), None).unwrap();
    assert_eq!(names(&p), ["CD4", "HLA-DR"]);
    assert_eq!(p.markers[1].cofactor, Some(150.0));
    assert!(unequal(&p).contains(&("HLA-DR", How::PanelFile)), "{:?}", p.pairs);
    // Two names of one antibody.
    let b = &[("Nd145Di", "T4"), ("Er168Di", "CD8a"), ("Nd148Di", "CD38")];
    let rows = "channel,marker,spellings\nNd145Di,CD4,T4\nEr168Di,CD8a,\nNd148Di,HLA-DR,\n";
    let p = pair(&[A, b], Some(rows), None).unwrap();
    assert_eq!(names(&p), ["CD4", "CD8a"]);
    assert_eq!((p.left.len(), p.left[0].why), (1, Why::OtherStain));
    let e = pair(&[A, b], Some("channel,marker\nNd145D,CD4\n"), None).unwrap_err();
    assert!(e.contains("no file has the channel Nd145D (line 2); did you mean Nd145Di?"), "{e}");
}

#[test]
fn of_several_columns_with_one_stain_none_is_guessed() {
    let twice = &[("Nd145Di", "CD4"), ("X", "145Nd_CD4"), ("Z", "CD3")];
    // The same spelling, then the same channel.
    let p = pair(&[twice, twice], None, None).unwrap();
    assert_eq!(p.columns[1], [0, 1, 2]);
    let p = pair(&[twice, &[("X", "cd4"), ("Nd145Di", "Cd4"), ("Z", "CD3")]], None, None).unwrap();
    assert_eq!(p.columns[1], [1, 0, 2]);
    // One column cannot be both, and other channels tell nothing.
    let p = pair(&[twice, &[("Y", "Cd4"), ("Z", "CD3")]], None, None).unwrap();
    assert_eq!(names(&p), ["CD3"]);
    assert!(p.left.iter().all(|l| l.why == Why::Ambiguous) && p.left.len() == 2, "{:?}", p.left);
    let p = pair(&[&[("Y", "CD4"), ("Z", "CD3")], twice], None, None).unwrap();
    assert_eq!(p.columns[1], [0, 2]);
}

#[test]
fn channels_that_repeat_are_paired_by_position() {
    let same = &[("FL1", "CD4"), ("FL1", "CD4"), ("Time", "")];
    assert_eq!(pair(&[same, same], None, None).unwrap().columns, [[0, 1], [0, 1]]);
    let bare = &[("A", ""), ("A", ""), ("B", "CD3")];
    assert_eq!(pair(&[bare, bare], None, Some("A")).unwrap().columns, [[0, 1], [0, 1]]);
    let e = pair(&[bare, &[("A", ""), ("B", "CD3")]], None, Some("A")).unwrap_err();
    assert!(e.contains("several channels"), "{e}");
}

#[test]
fn without_stains_channels_are_paired() {
    let a = &[("Comp-FITC-A", ""), ("PE-A", "")];
    let b = &[("PE-A", "PE-A"), ("FITC-A", " ")];
    let p = pair(&[a, b], None, Some("A$")).unwrap();
    assert_eq!(p.columns, [[0, 1], [1, 0]]);
    assert_eq!(p.unequal().count(), 2);
}

#[test]
fn tables_are_paired_by_the_names_of_their_columns() {
    let table = |names: &[&str]| Frame::new(Index::names(names.iter().map(|s| (*s).to_owned()).collect()));
    let (a, b) = (table(&["CD3", "HLA-DR", "Time"]), table(&["HLADR", "CD3"]));
    let fcs = fcs(&[("Nd145Di", "HLA DR"), ("Nd146Di", "cd3")]);
    let files = [File::new("a", &a), File::new("b", &b), File::new("c", &fcs)];
    let p = Pairing::of(&files, None, None).unwrap();
    assert_eq!(p.columns, [[0, 1], [1, 0], [1, 0]]);
}

#[test]
fn stored_markers_are_found_by_stain_and_by_name_and_all_must_be_there() {
    let a = fcs(A);
    let markers = choose(&File::new("a", &a), None, None).unwrap().markers;
    let b = fcs(&[("Nd148Di", "HLADR"), ("Er168Di", "CD8a"), ("X", "CD4"), ("Y", "CD99")]);
    let p = Pairing::with(&markers, "the stored edit", &[File::new("b", &b)], None).unwrap();
    assert_eq!(p.columns, [[2, 1, 0]]);
    let c = fcs(&[("Nd148Di", ""), ("Er168Di", "CD8a"), ("X", "CD4")]);
    let e = Pairing::with(&markers, "the stored edit", &[File::new("c", &c)], None).unwrap_err().to_string();
    assert!(e.contains("the stored edit") && e.contains("no stain in c") && e.contains("--model-dir"), "{e}");
    let rows = PanelFile::parse("p", "channel,marker\nNd148Di,HLA-DR\nEr168Di,CD8a\nX,CD4\n").unwrap();
    assert!(Pairing::with(&markers, "the stored edit", &[File::new("c", &c)], Some(&rows)).is_ok());
}
