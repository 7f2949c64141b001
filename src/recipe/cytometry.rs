//! Compensation and amplifiers, from the keywords of an FCS file.

use ndarray::Array2;

use super::RecipeError;
use super::step::Spillover;
use super::view::Curve;
use crate::data::Dataset;

/// Keywords a spill-over matrix is found under, the standard's own first.
const SPILLOVER_KEYWORDS: [&str; 3] = ["$SPILLOVER", "SPILLOVER", "SPILL"];

/// The column of a channel, by its name or by its stain.
pub(super) fn column_of(dataset: &Dataset, channel: &str) -> Result<usize, RecipeError> {
    let by_name = dataset.var.index.iter().position(|n| n == channel);
    let by_column = |column: &str| {
        let names = dataset.var.column(column)?;
        (0..names.len()).find(|&i| names.text(i).as_deref() == Some(channel))
    };
    by_name
        .or_else(|| by_column("channel"))
        .or_else(|| by_column("marker"))
        .ok_or_else(|| RecipeError::input(format!("there is no channel {channel}")))
}

fn keyword<'a>(dataset: &'a Dataset, name: &str) -> Option<&'a str> {
    let found = dataset.source.keywords.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
    found.map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
}

/// The spill-over matrix of a file.
pub(super) fn spillover(dataset: &Dataset) -> Result<Spillover, RecipeError> {
    let found = SPILLOVER_KEYWORDS.iter().find_map(|k| keyword(dataset, k).map(|v| (*k, v)));
    let Some((name, text)) = found else {
        return Err(RecipeError::input(
            "the file states no spill-over matrix ($SPILLOVER, SPILL); give one in the recipe",
        ));
    };
    let bad = |what: String| RecipeError::input(format!("keyword {name}: {what}"));
    let mut words = text.split(',').map(str::trim);
    let n: usize =
        words.next().and_then(|w| w.parse().ok()).filter(|n| (1..=dataset.n_vars()).contains(n)).ok_or_else(
            || bad(format!("starts with no number of channels from 1 to {}", dataset.n_vars())),
        )?;
    let words: Vec<&str> = words.collect();
    if words.len() != n + n * n {
        return Err(bad(format!(
            "{} entries after the first, expected {n} names and {n} × {n} numbers",
            words.len()
        )));
    }
    let (names, numbers) = words.split_at(n);
    let numbers = numbers
        .iter()
        .map(|w| w.parse::<f64>().map_err(|_| bad(format!("{w:?} is no number"))))
        .collect::<Result<Vec<_>, _>>()?;
    // Some instruments name channels by their number.
    let names = names.iter().map(|name| {
        let number = name.parse::<usize>().ok().and_then(|i| i.checked_sub(1));
        let by_number = || number.and_then(|i| dataset.var.index.get(i)).map(|n| n.into_owned());
        match column_of(dataset, name) {
            Ok(_) => (*name).to_owned(),
            Err(_) => by_number().unwrap_or_else(|| (*name).to_owned()),
        }
    });
    Ok(Spillover { channels: names.collect(), values: numbers.chunks(n).map(<[f64]>::to_vec).collect() })
}

/// The inverse of a spill-over matrix: rows of events times this are compensated.
pub(super) fn inverse(spillover: &Spillover) -> Result<Array2<f64>, RecipeError> {
    let n = spillover.channels.len();
    let square = n > 0 && spillover.values.len() == n && spillover.values.iter().all(|r| r.len() == n);
    let numbers = spillover.values.iter().flatten().all(|x| x.is_finite());
    if !square || !numbers {
        return Err(RecipeError::input(format!("the spill-over matrix is not {n} × {n} numbers")));
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = spillover.channels.iter().find(|c| !seen.insert(*c)) {
        return Err(RecipeError::input(format!("the spill-over matrix names {twice} twice")));
    }
    // Gauss-Jordan with the largest pivot of each column.
    let mut left: Vec<Vec<f64>> = spillover.values.clone();
    let mut right: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    let size = left.iter().flatten().fold(0.0f64, |a, x| a.max(x.abs()));
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| left[a][k].abs().total_cmp(&left[b][k].abs())).unwrap_or(k);
        if left[pivot][k].abs() <= 1e-12 * size {
            return Err(RecipeError::input(
                "the spill-over matrix cannot be inverted: two dyes look alike in all channels",
            ));
        }
        left.swap(k, pivot);
        right.swap(k, pivot);
        let by = left[k][k];
        left[k].iter_mut().chain(right[k].iter_mut()).for_each(|x| *x /= by);
        let (row_left, row_right) = (left[k].clone(), right[k].clone());
        for i in (0..n).filter(|i| *i != k) {
            let by = left[i][k];
            left[i].iter_mut().zip(&row_left).for_each(|(x, p)| *x -= by * p);
            right[i].iter_mut().zip(&row_right).for_each(|(x, p)| *x -= by * p);
        }
    }
    Array2::from_shape_vec((n, n), right.into_iter().flatten().collect())
        .map_err(|e| RecipeError::input(e.to_string()))
}

/// What undoes the amplifier of each channel: `$PnE` of `decades,offset` with `$PnR`, else `$PnG`.
pub(super) fn amplifiers(dataset: &Dataset) -> Result<Vec<Curve>, RecipeError> {
    if keyword(dataset, "$PAR").is_none() {
        return Err(RecipeError::input(
            "amplify: the data come from no FCS file, there are no amplifiers to undo",
        ));
    }
    (1..=dataset.n_vars())
        .map(|i| {
            let number = |k: &str| -> Result<Option<f64>, RecipeError> {
                let name = format!("$P{i}{k}");
                keyword(dataset, &name)
                    .map(|v| {
                        v.parse::<f64>()
                            .map_err(|_| RecipeError::input(format!("keyword {name}: {v:?} is no number")))
                    })
                    .transpose()
            };
            let amplifier = keyword(dataset, &format!("$P{i}E")).and_then(|v| {
                let (decades, zero) = v.split_once(',')?;
                Some((decades.trim().parse::<f64>().ok()?, zero.trim().parse::<f64>().ok()?))
            });
            if let Some((decades, zero)) = amplifier.filter(|a| a.0 > 0.0) {
                let range = number("R")?.filter(|r| *r > 0.0).ok_or_else(|| {
                    RecipeError::input(format!("$P{i}E is logarithmic but $P{i}R states no range"))
                })?;
                // "4,0" is not allowed by the standard and means "4,1".
                return Ok(Curve::Decades { decades, zero: if zero == 0.0 { 1.0 } else { zero }, range });
            }
            Ok(match number("G")?.filter(|g| *g > 0.0 && *g != 1.0) {
                Some(gain) => Curve::Gain(gain),
                None => Curve::Keep,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, Index};

    fn dataset(keywords: &[(&str, &str)]) -> Dataset {
        let names = Index::names(["FSC-A", "FITC-A", "PE-A"].map(String::from).to_vec());
        let mut d = Dataset::new(Frame::new(Index::Range(0)), Frame::new(names));
        d.source.keywords = keywords.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        d
    }

    #[test]
    fn a_spillover_keyword_becomes_its_inverse() {
        let d = dataset(&[("SPILL", "2,FITC-A,PE-A,1,0.2,0.05,1")]);
        let s = spillover(&d).unwrap();
        assert_eq!(s.channels, ["FITC-A", "PE-A"]);
        let inverse = inverse(&s).unwrap();
        // 100 of FITC shows as 100, 20.
        let compensated = ndarray::array![100.0, 20.0].dot(&inverse);
        assert!((compensated[0] - 100.0).abs() < 1e-12 && compensated[1].abs() < 1e-12);
    }

    #[test]
    fn a_damaged_or_singular_matrix_is_refused_in_words() {
        let message = |text: &str| spillover(&dataset(&[("$SPILLOVER", text)])).unwrap_err().to_string();
        assert!(message("2,FITC-A,PE-A,1,0.2,0.05").contains("expected 2 names"));
        assert!(message("9,FITC-A").contains("no number of channels"));
        assert!(message("1,FITC-A,x").contains("no number"));
        let twins = Spillover {
            channels: vec!["a".into(), "b".into()],
            values: vec![vec![1.0, 1.0], vec![1.0, 1.0]],
        };
        assert!(inverse(&twins).unwrap_err().to_string().contains("look alike"));
    }

    #[test]
    fn amplifiers_follow_the_standard() {
        let d = dataset(&[
            ("$PAR", "3"),
            ("$P1E", "0,0"),
            ("$P1G", "2"),
            ("$P2E", "4,0"),
            ("$P2R", "1024"),
            ("$P3E", "0,0"),
        ]);
        let curves = amplifiers(&d).unwrap();
        assert!(matches!(curves[0], Curve::Gain(g) if g == 2.0));
        // Channel 512 of 1,024 over four decades is 100.
        assert!(matches!(curves[1], Curve::Decades { zero, .. } if zero == 1.0));
        assert!(matches!(curves[2], Curve::Keep));
        assert!(amplifiers(&dataset(&[])).is_err());
    }
}
