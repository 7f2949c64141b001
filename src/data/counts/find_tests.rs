use super::super::read;
use super::*;
use crate::data::{Column, Dense, Index, Layout, Sparse, Values};

fn dataset(x: Values) -> Dataset {
    let names = |p: &str, n: usize| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(names("cell", 2), names("gene", 3));
    d.x = matrix(x);
    d
}

fn matrix(x: Values) -> Option<Matrix> {
    Some(Matrix::Dense(Dense::new(2, 3, x).unwrap()))
}

fn take(d: &Dataset, fractions: Fractions) -> Result<Taken, CountsError> {
    find(d, &Wanted { fractions, ..Wanted::default() })
}

fn asked(d: &Dataset, place: Place) -> Result<Taken, CountsError> {
    find(d, &Wanted { place: Some(place), ..Wanted::default() })
}

fn counts(d: &Dataset, taken: &mut Taken) -> Result<super::super::Counts, CountsError> {
    read(d, taken, 1 << 20, &std::env::temp_dir())
}

#[test]
fn the_layer_comes_before_raw_and_raw_before_x() {
    let mut d = dataset(Values::F32(vec![1.0, 0.0, 2.0, 0.0, 0.0, 7.0]));
    assert_eq!(take(&d, Fractions::Refused).unwrap().place, Place::X);
    d.layers.insert("counts".into(), d.x.clone().unwrap());
    assert_eq!(take(&d, Fractions::Refused).unwrap().place, Place::Layer("counts".into()));
    assert_eq!(asked(&d, Place::X).unwrap().place, Place::X);
    let e = asked(&d, Place::Raw).unwrap_err().to_string();
    assert!(e.contains("raw is not there") && e.contains("layers: counts"), "{e}");
}

#[test]
fn what_was_passed_over_is_said() {
    let mut d = dataset(Values::F32(vec![1.0, 0.0, 2.0, 0.0, 0.0, 7.0]));
    d.layers.insert("counts".into(), matrix(Values::F32(vec![0.1, 0.0, 0.7, 0.0, 0.0, 2.5])).unwrap());
    let taken = take(&d, Fractions::Refused).unwrap();
    assert_eq!((taken.place.clone(), taken.passed.len()), (Place::X, 1));
    assert!(taken.words().starts_with("X (layers[\"counts\"] holds "), "{}", taken.words());
}

#[test]
fn other_values_are_told_by_what_they_look_like_and_where_counts_are() {
    let mut d = dataset(Values::F32(vec![1.5, 0.0, 2.25, 0.0, 0.0, 0.7]));
    d.layers.insert("counts".into(), d.x.clone().unwrap());
    let e = take(&d, Fractions::Refused).unwrap_err().to_string();
    assert!(e.contains("raw counts are needed") && e.contains("X holds"), "{e}");
    d.layers.insert("umi".into(), matrix(Values::U8(vec![1, 0, 2, 0, 0, 7])).unwrap());
    let e = take(&d, Fractions::Refused).unwrap_err().to_string();
    assert!(e.ends_with("layers[\"umi\"] holds raw counts: --layer umi"), "{e}");
    assert!(asked(&d, Place::named("umi")).is_ok());
}

#[test]
fn a_value_that_is_no_count_is_named_by_cell_and_gene() {
    for (bad, advice) in
        [(0.5, "--round"), (-1.0, "never negative"), (f64::NAN, "no counts"), (f64::INFINITY, "no counts")]
    {
        let d = dataset(Values::F64(vec![1.0, 0.0, 2.0, 0.0, bad, 7.0]));
        let e = counts(&d, &mut Taken::plain(Place::X)).unwrap_err().to_string();
        assert!(e.contains("cell cell1, gene gene1") && e.contains(advice), "{e}");
    }
    let e = take(&dataset(Values::F64(vec![1.0, 0.0, 2.0, 0.0, -3.0, 7.0])), Fractions::Rounded).unwrap_err();
    assert!(e.to_string().contains("X: cell cell1, gene gene1: found -3"), "{e}");
}

#[test]
fn counts_with_fractions_are_rounded_as_numpy_rounds() {
    let d = dataset(Values::F64(vec![1.0, 0.5, 2.0, 20.25, 1.5, 7.0]));
    let e = take(&d, Fractions::Refused).unwrap_err().to_string();
    assert!(e.contains("cell cell0, gene gene1: found 0.5") && e.contains("--round"), "{e}");
    let mut taken = take(&d, Fractions::Rounded).unwrap();
    let c = counts(&d, &mut taken).unwrap();
    assert_eq!(
        (c.cell(0), c.cell(1)),
        ((&[0u32, 2][..], &[1u32, 2][..]), (&[0u32, 1, 2][..], &[20u32, 2, 7][..]))
    );
    assert_eq!(taken.rounded, Some(Rounded { changed: 3, most: 0.5 }));
    let (view, same) = super::super::rounded(d.x.as_ref().unwrap(), 1 << 20).unwrap();
    assert_eq!(Some(same), taken.rounded);
    assert_eq!(view.rows(0..2).unwrap().to_f64().into_raw_vec_and_offset().0, [1., 0., 2., 20., 2., 7.]);
}

#[test]
fn antibodies_beside_genes_are_not_taken_unless_they_are_asked_for() {
    let mut d = dataset(Values::F64(vec![1.0, -0.25, 2.0, 0.0, 1.5, 7.0]));
    let types = ["Gene Expression", "Antibody Capture", "Gene Expression"].map(String::from).to_vec();
    d.var.set("feature_types", Column::Strings(types));
    let mut taken = take(&d, Fractions::Refused).unwrap();
    assert_eq!(counts(&d, &mut taken).unwrap().cell(1), (&[1u32][..], &[7u32][..]));
    assert!(taken.remarks()[0].contains("1 Antibody Capture"), "{:?}", taken.remarks());
    let of = |features| find(&d, &Wanted { features, ..Wanted::default() });
    assert!(of(FeatureType::All).is_err());
    let e = of(FeatureType::Named("CRISPR".into())).unwrap_err().to_string();
    assert!(e.contains("Antibody Capture (1), Gene Expression (2)"), "{e}");
    let e = of(FeatureType::Named("Antibody Capture".into())).unwrap_err().to_string();
    assert!(e.contains("X holds") && e.contains("-0.250"), "{e}");
}

#[test]
fn entries_out_of_order_and_doubled_add_up() {
    let mut d = dataset(Values::U8(vec![0; 6]));
    let values = Values::U8(vec![2, 1, 4, 3]);
    let sparse = Sparse::new(Layout::Csr, (2, 3), vec![0, 3, 4], vec![2, 0, 2, 1], values).unwrap();
    d.x = Some(Matrix::Sparse(sparse));
    let counts = counts(&d, &mut Taken::plain(Place::X)).unwrap();
    assert_eq!(counts.cell(0), (&[0u32, 2][..], &[1u32, 6][..]));
    assert_eq!(counts.cell(1), (&[1u32][..], &[3u32][..]));
}
