//! `--transform` and `--cofactor`: how stored values become the scale of the model.

/// How stored values become the scale of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TransformArg {
    /// arcsinh(x / cofactor), undone afterwards.
    Arcsinh,
    /// Values are arcsinh(x / cofactor) already, and stay so.
    ArcsinhDone(f64),
    /// Values are on another final scale already.
    None,
}

/// Reads `arcsinh`, `arcsinh-done`, `arcsinh-done:150`, `none`.
pub(super) fn transform(text: &str) -> Result<TransformArg, String> {
    match text.split_once(':').unwrap_or((text, "5")) {
        ("arcsinh", "5") if !text.contains(':') => Ok(TransformArg::Arcsinh),
        ("none", "5") if !text.contains(':') => Ok(TransformArg::None),
        ("arcsinh-done", cofactor) => positive(cofactor).map(TransformArg::ArcsinhDone),
        _ => Err("expected arcsinh, arcsinh-done, arcsinh-done:COFACTOR or none".into()),
    }
}

/// What `--cofactor` says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cofactors {
    /// For all channels without their own.
    pub common: Option<f64>,
    /// Of single channels, by the name of the marker or channel.
    pub own: Vec<(String, f64)>,
}

/// Reads `150`, `CD3=5,FITC-A=150`, or both: `150,CD3=5`.
pub(super) fn cofactors(text: &str) -> Result<Cofactors, String> {
    let mut all = Cofactors::default();
    for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
        match word.rsplit_once('=') {
            Some((name, value)) => all.own.push((name.trim().to_owned(), positive(value)?)),
            None if all.common.is_some() => {
                return Err(format!(
                    "{word}: a second number for all channels; write NAME={word} for one channel"
                ));
            }
            None => all.common = Some(positive(word)?),
        }
    }
    if all == Cofactors::default() {
        return Err("expected a number, or NAME=NUMBER for single channels".into());
    }
    Ok(all)
}

fn positive(text: &str) -> Result<f64, String> {
    let x = text.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    x.ok_or_else(|| format!("{text}: expected a number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cofactors_for_all_and_for_single_channels() {
        let c = cofactors("150, CD3=5,FITC-A=6000").unwrap();
        assert_eq!((c.common, c.own.len()), (Some(150.0), 2));
        assert_eq!(c.own[1], ("FITC-A".into(), 6000.0));
        assert_eq!(cofactors("5").unwrap().common, Some(5.0));
        for bad in ["", "0", "-1", "CD3=", "5,6", "x", "CD3=inf"] {
            assert!(cofactors(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn transforms_by_name() {
        assert_eq!(transform("arcsinh-done"), Ok(TransformArg::ArcsinhDone(5.0)));
        assert_eq!(transform("arcsinh-done:150"), Ok(TransformArg::ArcsinhDone(150.0)));
        assert_eq!(transform("arcsinh"), Ok(TransformArg::Arcsinh));
        for bad in ["arcsinh:5", "none:5", "arcsinh-done:0", "log"] {
            assert!(transform(bad).is_err(), "{bad}");
        }
    }
}
