//! One line that says whether to trust the correction, and what to do otherwise.

use serde::Serialize;

use super::{Method, SampleScore};

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Independent evidence speaks for the chosen method.
    Good,
    /// No independent evidence, or a rival is better.
    Caution,
    /// The evidence speaks against correcting.
    Bad,
}

/// The verdict on a run of `scx correct`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// How good the news is.
    pub level: Level,
    /// One line.
    pub text: String,
    /// The method the evidence speaks for; none without an independent control.
    pub recommended: Option<Method>,
}

/// A rival must be this much closer to be called better: below, the difference is noise.
const CLEARLY: f64 = 0.95;

/// The verdict over all scored samples: methods are compared on held-out controls only.
pub fn verdict(chosen: Method, scores: &[SampleScore]) -> Verdict {
    let mean = |of: &dyn Fn(&SampleScore) -> Option<f64>| {
        let v: Vec<f64> = scores.iter().filter_map(of).filter(|x| x.is_finite()).collect();
        (!v.is_empty()).then(|| v.iter().sum::<f64>() / v.len() as f64)
    };
    let emd = |method: Method| mean(&|s| s.of(method)?.holdout.as_ref().map(|h| h.emd_after));
    let r = mean(&|s| s.of(chosen)?.r);
    let follows = r.map_or_else(String::new, |r| {
        let how = if r >= 0.9 {
            "follows the spike-ins"
        } else if r >= 0.6 {
            "follows the spike-ins loosely"
        } else {
            "does not follow the spike-ins"
        };
        format!("{} {how} (r = {r:.2})", chosen.name())
    });
    let (Some(own), Some(nothing)) = (emd(chosen), emd(Method::None)) else {
        let lead = if follows.is_empty() { String::new() } else { format!("{follows}, but ") };
        return Verdict {
            level: Level::Caution,
            text: format!(
                "{lead}no independent control was given, so no method is recommended: controls judged on themselves \
                 always favour the ambient map. Give a second control pair with --holdout to compare"
            ),
            recommended: None,
        };
    };
    let best = Method::ALL.into_iter().filter_map(|m| Some((m, emd(m)?))).min_by(|a, b| a.1.total_cmp(&b.1));
    let (best, closest) = best.unwrap_or((Method::None, nothing));
    let lead = if follows.is_empty() { chosen.name().to_owned() } else { follows };
    if nothing <= own && (nothing * CLEARLY < closest || best == Method::None) {
        return Verdict {
            level: Level::Bad,
            text: format!(
                "{lead}, but no method brings the held-out control closer than leaving it alone \
                 (EMD {nothing:.3} uncorrected, {own:.3} corrected): do not correct with these controls"
            ),
            recommended: Some(Method::None),
        };
    }
    if best != chosen && closest < CLEARLY * own {
        let level = if own < nothing { Level::Caution } else { Level::Bad };
        return Verdict {
            level,
            text: format!(
                "{lead}, but {} is closer on the held-out control (EMD {closest:.3}, {} {own:.3}, \
                 uncorrected {nothing:.3}); use --method {}",
                best.name(),
                chosen.name(),
                best.name()
            ),
            recommended: Some(best),
        };
    }
    let gone = 100.0 * (1.0 - own / nothing);
    Verdict {
        level: Level::Good,
        text: format!(
            "{lead} and no other method is clearly closer on the held-out control (EMD {nothing:.3} → {own:.3}, \
             {gone:.0} % of the distance gone)"
        ),
        recommended: Some(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::{HoldoutScore, MethodScore};
    use super::*;

    fn scores(r: f64, emd: Option<[f64; 5]>) -> Vec<SampleScore> {
        let methods = Method::ALL
            .into_iter()
            .enumerate()
            .map(|(i, method)| MethodScore {
                method,
                r: Some(r),
                slope: None,
                rmse: None,
                outside: None,
                negative: None,
                holdout: emd.map(|e| HoldoutScore {
                    r_true: None,
                    emd_before: e[4],
                    emd_after: e[i],
                    markers: vec![],
                    worst: String::new(),
                    worst_emd: 0.0,
                }),
            })
            .collect();
        vec![SampleScore { run: "a".into(), sample: "b".into(), cells: 1, methods, medians: vec![] }]
    }

    #[test]
    fn without_a_held_out_control_no_method_is_recommended() {
        let v = verdict(Method::NeuronEdit, &scores(0.96, None));
        assert_eq!((v.level, v.recommended), (Level::Caution, None));
        assert!(v.text.contains("--holdout") && v.text.contains("(r = 0.96)"), "{}", v.text);
    }

    #[test]
    fn a_closer_rival_is_named_with_the_option_that_takes_it() {
        let v = verdict(Method::NeuronEdit, &scores(0.96, Some([0.42, 0.41, 0.34, 0.44, 0.87])));
        assert_eq!(v.recommended, Some(Method::Ambient));
        assert!(v.text.ends_with("use --method ambient"), "{}", v.text);
    }

    #[test]
    fn a_small_difference_is_no_reason_to_change() {
        let v = verdict(Method::NeuronEdit, &scores(0.96, Some([0.345, 0.41, 0.34, 0.44, 0.87])));
        assert_eq!((v.level, v.recommended), (Level::Good, Some(Method::NeuronEdit)));
    }

    #[test]
    fn when_nothing_helps_the_verdict_says_so() {
        let v = verdict(Method::NeuronEdit, &scores(0.2, Some([0.5, 0.5, 0.45, 0.44, 0.4])));
        assert_eq!((v.level, v.recommended), (Level::Bad, Some(Method::None)));
        let v = verdict(Method::NeuronEdit, &scores(0.2, Some([0.5, 0.5, 0.2, 0.44, 0.4])));
        assert_eq!((v.level, v.recommended), (Level::Bad, Some(Method::Ambient)));
    }
}
