//! What instruments write against the standard, each by the name it has in the field.

use ndarray::Array2;
use scx::data::amplify;
use scx::io::{FcsOffsets, fcs};

use super::*;

/// Reads a small file that holds the usual floats and expects these words in its warnings.
fn usual(name: &str, says: &[&str]) -> Dataset {
    let (d, warnings) = warned(|| read(name));
    assert_eq!(rows(&d), floats(7, 3), "{name}");
    for word in says {
        assert!(warnings.contains(word), "{name}: {warnings}");
    }
    if says.is_empty() {
        assert_eq!(warnings, "", "{name}");
    }
    d
}

#[test]
fn of_two_places_of_the_events_that_disagree_the_one_that_fits_is_read() {
    usual(
        "offsets_disagree.fcs",
        &[
            "HEADER says DATA begins at byte 2050 and $BEGINDATA says 2058; TEXT is used, since only that makes whole",
        ],
    );
    usual(
        "offsets_text_shifted.fcs",
        &["HEADER says DATA begins at byte 2058 and $BEGINDATA says 2066; the HEADER is used"],
    );
    // One byte too many is closer than three too few or a place inside TEXT.
    usual("offsets_header_nearly.fcs", &["the HEADER is used", "one byte longer than its 7 events"]);
    usual("offsets_2.0_text_fits.fcs", &["TEXT is used"]);
}

#[test]
fn where_both_places_fit_the_events_the_user_chooses() {
    let path = fixtures("bad/fcs").join("offsets_both_fit.fcs");
    let by = |fcs_offsets| open(&path, &ReadOptions { fcs_offsets, ..ReadOptions::default() });
    let e = by(FcsOffsets::Agree).unwrap_err().to_string();
    assert!(e.contains("2058") && e.contains("2062") && e.contains("--fcs-offsets text"), "{e}");
    assert_eq!(rows(&by(FcsOffsets::Header).unwrap()), floats(7, 3));
    assert_ne!(rows(&by(FcsOffsets::Text).unwrap()), floats(7, 3));
}

#[test]
fn a_choice_of_the_user_counts_although_the_other_place_fits() {
    let path = fixtures("fcs").join("offsets_disagree.fcs");
    let by = |fcs_offsets| open(&path, &ReadOptions { fcs_offsets, ..ReadOptions::default() });
    assert!(by(FcsOffsets::Header).is_err());
    assert_eq!(rows(&by(FcsOffsets::Text).unwrap()), floats(7, 3));
}

#[test]
fn an_analysis_segment_and_further_data_sets_are_lines_of_the_loss_report() {
    let lines = |name: &str, data_set| {
        let path = fixtures("fcs").join(name);
        let d = open(&path, &ReadOptions { data_set, ..ReadOptions::default() }).unwrap();
        d.changes.iter().map(|c| format!("{}: {}", c.element, c.words())).collect::<Vec<_>>()
    };
    for name in ["analysis.fcs", "analysis_in_text.fcs"] {
        let want = "ANALYSIS: left behind: the segment (bytes 2142 to 2149) is not read";
        assert_eq!(lines(name, None), [want], "{name}");
    }
    let want = "data set 2: left behind: the first is read; `--data-set N` chooses another";
    assert_eq!(lines("two_data_sets.fcs", None), [want]);
    assert!(lines("two_data_sets.fcs", Some(2)).is_empty());
    assert!(lines("float_be.fcs", None).is_empty());
}

#[test]
fn a_data_end_one_byte_past_the_last_is_read_whether_one_or_both_places_say_so() {
    usual("end_one_past.fcs", &["one byte longer than its 7 events"]);
    usual(
        "offsets_end_differs.fcs",
        &["HEADER says DATA ends at byte 2142 and $ENDDATA says 2141; TEXT is used"],
    );
}

#[test]
fn stars_in_the_header_leave_the_place_to_text() {
    usual(
        "header_stars.fcs",
        &["`********` found where a byte offset was expected; the place of DATA is taken from TEXT"],
    );
}

#[test]
fn a_text_without_begindata_and_enddata_is_read_by_its_header() {
    usual("no_begindata.fcs", &["$BEGINDATA is missing", "$ENDDATA is missing"]);
}

#[test]
fn cytek_leaves_out_the_final_delimiter() {
    assert_eq!(keyword(&usual("no_final_delimiter_cytek.fcs", &[]), "last"), Some("value"));
}

#[test]
fn delimiters_inside_values_shift_no_keyword() {
    let d = usual("delimiter_in_value.fcs", &["delimiter `/` inside, not doubled"]);
    assert_eq!((keyword(&d, "$P1F"), keyword(&d, "$P2F")), (Some("488/10"), Some("530/30")));
    assert_eq!(keyword(&d, "$P3N"), Some("FL3-A"));
    let d = usual("delimiter_in_required_value.fcs", &["delimiter `/` inside, not doubled"]);
    assert_eq!(d.var.index.iter().collect::<Vec<_>>(), ["FITC/A", "FL2-A", "FL3-A"]);
}

#[test]
fn ze5_separates_by_stars() {
    assert_eq!(keyword(&usual("star_delimiter_ze5.fcs", &[]), "note"), Some("a*b"));
}

#[test]
fn apogee_puts_spaces_before_keywords() {
    assert_eq!(keyword(&usual("spaces_before_keys_apogee.fcs", &[]), "$PAR"), Some("3"));
}

#[test]
fn partec_mixes_integer_widths() {
    let d = read("widths_partec.fcs");
    let bits = [16, 32, 8];
    let want: Vec<Vec<f64>> =
        (0..7).map(|r| bits.iter().zip(0..).map(|(b, c)| raw(r, c, *b)).collect()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::U32, want));
}

#[test]
fn lmd_files_hold_10_bits_in_16_and_a_second_data_set_with_text_behind_its_events() {
    let path = fixtures("fcs").join("lmd.fcs");
    let set = |n| warned(|| open(&path, &ReadOptions { data_set: n, ..ReadOptions::default() }).unwrap());
    let (d, warnings) = set(None);
    let want: Vec<Vec<f64>> = (0..7).map(|r| (0..3).map(|c| raw(r, c, 10)).collect()).collect();
    assert_eq!((d.x.as_ref().unwrap().dtype(), rows(&d)), (DType::U16, want));
    for says in ["holds 2 data sets", "one byte longer", "values take whole words"] {
        assert!(warnings.contains(says), "{warnings}");
    }
    let (d, warnings) = set(Some(2));
    let want: Vec<Vec<f64>> = (0..7).map(|r| (0..2).map(|c| raw(r, c, 20)).collect()).collect();
    assert_eq!((d.source.dialect.as_str(), rows(&d), warnings.as_str()), ("FCS3.0", want, ""));
}

#[test]
fn a_range_of_na_masks_nothing_and_one_beyond_32_bits_the_width() {
    let (d, warnings) = warned(|| read("range_na.fcs"));
    let want: Vec<Vec<f64>> = (0..7).map(|r| vec![raw(r, 0, 16), raw(r, 1, 32), raw(r, 2, 10)]).collect();
    assert_eq!(rows(&d), want);
    assert!(warnings.contains("$PnR of channel `FL1-A` is no positive number"), "{warnings}");
    assert_eq!(texts(&d, "pnr")[1..], ["51539607553.0", "1024.0"]);
}

#[test]
fn miltenyi_writes_empty_values_an_end_one_past_and_a_spillover_without_numbers() {
    let d = usual("miltenyi_3.1.fcs", &["empty values", "one byte longer"]);
    assert_eq!((keyword(&d, "$P2S"), keyword(&d, "$P2N")), (Some(""), Some("FL2-A")));
    let e = fcs::spillover(&d.source.keywords).unwrap_err().to_string();
    assert!(e.starts_with("$SPILLOVER: 2 channels take 2 names and 4 numbers"), "{e}");
}

#[test]
fn floats_with_a_logarithmic_amplifier_are_linear() {
    let d = usual("float_log.fcs", &["$P1E 4,1 beside floating point"]);
    assert_eq!((texts(&d, "pne"), keyword(&d, "$P1E")), (vec!["0,0".to_owned(); 3], Some("4,1")));
    assert!(fcs::amplifiers(&d.var).unwrap().iter().all(scx::data::Amplifier::is_identity));
}

#[test]
fn a_spillover_is_parsed_and_applied_to_nothing() {
    let d = usual("spill.fcs", &[]);
    let s = fcs::spillover(&d.source.keywords).unwrap().unwrap();
    assert_eq!(s.channels(), ["FL1-A", "FL2-A"]);
    assert_eq!(s.matrix().iter().copied().collect::<Vec<_>>(), [1.0, 0.25, 0.125, 1.0]);
    let mut two = Array2::from_shape_vec((1, 2), vec![9.0, 4.0]).unwrap();
    s.inverse().unwrap().apply(&mut two, &[0, 1]).unwrap();
    // observed = true × spillover.
    assert!((&two.dot(s.matrix()) - &ndarray::array![[9.0, 4.0]]).iter().all(|x| x.abs() < 1e-12));
}

#[test]
fn nan_as_the_name_of_a_spillover_channel_is_an_error_only_when_it_is_asked_for() {
    let d = usual("spill_nan_names.fcs", &[]);
    let e = fcs::spillover(&d.source.keywords).unwrap_err().to_string();
    assert!(e.contains("SPILL: `nan` is no $PnN"), "{e}");
}

#[test]
fn umlauts_in_latin1_are_read() {
    let d = usual("umlauts.fcs", &[]);
    assert_eq!(
        (keyword(&d, "$OP"), keyword(&d, "Ger\u{e4}t")),
        (Some("J\u{fc}rgen M\u{fc}ller"), Some("\u{b5}"))
    );
}

#[test]
fn values_above_the_range_are_kept_and_counted_once() {
    let d = usual("above_range.fcs", &[]);
    let walk = || warned(|| d.x.as_ref().unwrap().stream(1 << 20, &mut |_, _| Ok(())).unwrap()).1;
    // Channel 0 holds 0.5 to 60.5 in tens, its range is 30; channel 2 holds 2.5 to 62.5, its range is 52.
    let first = walk();
    assert!(first.contains("values above $PnR are kept as they are: 4 of `FL1-A`, 2 of `FL3-A`"), "{first}");
    assert_eq!(walk(), "");
}

#[test]
fn a_next_data_set_that_is_not_there_is_ignored() {
    usual("next_data_nowhere.fcs", &["$NEXTDATA 1000 points to no further data set"]);
}

#[test]
fn amplifiers_stay_beside_the_stored_values_until_they_are_asked_for() {
    let d = read("log_amplifier.fcs");
    let mut x = Array2::from_shape_vec((7, 3), rows(&d).concat()).unwrap();
    let stored = x.clone();
    amplify(&fcs::amplifiers(&d.var).unwrap(), &mut x);
    for (linear, stored) in x.rows().into_iter().zip(stored.rows()) {
        let want = [
            10f64.powf(4.0 * stored[0] / 1024.0),
            0.1 * 10f64.powf(3.5 * stored[1] / 1024.0),
            stored[2] / 2.5,
        ];
        assert!(linear.iter().zip(want).all(|(a, b)| (a - b).abs() <= 1e-12 * b), "{linear} {want:?}");
    }
}
