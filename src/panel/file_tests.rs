//! Reading panel files, and what they tell of columns.

use super::*;
use crate::panel::column::Column;

fn told(panel: &str, file: &str, columns: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let panel = PanelFile::parse("panel.csv", panel).map_err(|e| e.to_string())?;
    let mut columns: Vec<Column> =
        columns.iter().enumerate().map(|(i, (c, s))| Column::new(i, c, s)).collect();
    panel.tell(file, &mut columns).map_err(|e| e.to_string())?;
    let show = |c: &Column| {
        let told = c.panel.as_ref();
        let role = told.and_then(|t| t.role).map_or(String::new(), |r| format!(" {r:?}").to_lowercase());
        if told.is_some() { format!("{}{role}", c.says) } else { format!("({})", c.says) }
    };
    Ok(columns.iter().map(show).collect())
}

const COLUMNS: [(&str, &str); 4] =
    [("Nd145Di", "145Nd_cd4"), ("Nd148Di", ""), ("Gd155Di", "BDCA-2"), ("Time", "")];

#[test]
fn stains_spellings_and_channels_without_stain_are_told() {
    let panel = "channel,marker,role,cofactor,spellings\n\
                 Nd145Di,CD4,lineage,5,\nNd148Di,HLA-DR,state,,\nYb171Di,CD303,,,BDCA2|CLEC4C\n";
    assert_eq!(told(panel, "a.fcs", &COLUMNS).unwrap(), ["CD4 lineage", "HLA-DR state", "CD303", "()"]);
}

#[test]
fn another_stain_on_the_channel_is_never_overruled() {
    let panel = "channel;marker\nNd145Di;CD8\n";
    assert_eq!(told(panel, "a.fcs", &COLUMNS).unwrap()[0], "(cd4)");
    let panel = "channel;marker;spellings\nNd145Di;T helper;CD4\n";
    assert_eq!(told(panel, "a.fcs", &COLUMNS).unwrap()[0], "T helper");
}

#[test]
fn a_column_called_after_a_file_holds_for_that_file_alone() {
    let panel = "channel,marker,run1*.fcs,run2_a.fcs\nNd148Di,HLA-DR,HLA-DR,\nNd148Di,CD38,,CD38\n";
    let one = [("Nd148Di", "")];
    assert_eq!(told(panel, "data/run1_x.fcs", &one).unwrap(), ["HLA-DR"]);
    assert_eq!(told(panel, "run2_a.fcs", &one).unwrap(), ["CD38"]);
    // Nothing is said of a third file: two rows for one channel are no answer.
    let e = told(panel, "run3.fcs", &one).unwrap_err();
    assert!(e.contains("lines 2 (HLA-DR) and 3 (CD38)") && e.contains("run3.fcs"), "{e}");
    // What a file's own column leaves blank is left.
    let panel = "channel,marker,run2_a\nNd148Di,HLA-DR,\n";
    assert_eq!(told(panel, "run2_a.fcs", &one).unwrap(), ["()"]);
}

#[test]
fn tables_of_other_programs_are_panel_files() {
    let catalyst =
        "fcs_colname,antigen,marker_class\nCD4(Nd145)Di,CD4,type\nHLA(Nd148)Di,pS6,state\nTime,Time,none\n";
    let columns = [("CD4(Nd145)Di", "CD4(Nd145)Di"), ("Nd148Di", ""), ("Time", "")];
    assert_eq!(told(catalyst, "a.fcs", &columns).unwrap(), ["CD4 lineage", "pS6 state", "Time none"]);
    let premessa =
        "Remove,Parameter,Most common,a.fcs,b.fcs\nFALSE,Nd145Di,CD4,CD4,T4\nTRUE,Time,Time,Time,absent\n";
    assert_eq!(told(premessa, "b.fcs", &[("Nd145Di", "T4"), ("Time", "")]).unwrap(), ["CD4", "()"]);
    let rownames = "\"\",\"marker\"\n\"Nd145Di\",\"CD4\"\n";
    assert_eq!(told(rownames, "a.fcs", &[("Nd145Di", "")]).unwrap(), ["CD4"]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (panel, says) in [
        ("", "the panel file is empty"),
        ("chanel,marker\nA,B\n", "did you mean chanel?"),
        ("channel,antibody\nA,B\n", "expected one called marker"),
        ("channel,marker,role\nA,B,linage\n", "did you mean lineage?"),
        ("channel,marker,cofactor\nA,B,0\n", "line 2: found the cofactor `0`"),
        ("channel,marker\nA,B,C\n", "line 2: found `C` behind the last"),
        ("channel,marker\nA,\"B\n", "line 2: a quote"),
        ("channel,marker,role\n,,none\n", "line 2: found neither"),
    ] {
        let e = PanelFile::parse("panel.csv", panel).unwrap_err().to_string();
        assert!(e.starts_with("panel.csv: ") && e.contains(says), "{panel}: {e}");
    }
}

#[test]
fn patterns_of_file_names_fit_as_in_a_shell() {
    for (pattern, name, yes) in [
        ("run1_*.fcs", "x/run1_a.fcs", true),
        ("x/*", "x/run1_a.fcs", true),
        ("run?.fcs", "run1.fcs", true),
        ("run?.fcs", "run12.fcs", false),
        ("*a*b", "xxaxxb", true),
        ("*a*b", "xxaxxbc", false),
        ("run1", "x/run1.fcs", true),
        ("a/c.fcs", "b/c.fcs", false),
    ] {
        assert_eq!(fits(pattern, name), yes, "{pattern} {name}");
    }
}
