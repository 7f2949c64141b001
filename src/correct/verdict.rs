//! Whether to trust the correction, and what to do next, from distances on cells that were not learnt from.
//! `docs/verdict.md` gives the rules, and how often they are right on simulated experiments of known truth.

use serde::Serialize;

use super::{HeldOut, Method, SampleScore};

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The evidence speaks for the chosen method.
    Good,
    /// There is too little evidence, nothing to correct, or a rival is better.
    Caution,
    /// The evidence speaks against using the result.
    Bad,
}

impl Level {
    /// Its name, as in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Caution => "caution",
            Level::Bad => "bad",
        }
    }
}

/// The verdict on a run of `scx correct`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// How good the news is.
    pub level: Level,
    /// What was found, and in one sentence what to do next.
    pub text: String,
    /// The method the evidence speaks for, where it can compare methods, or `none` where nothing is to be corrected.
    pub recommended: Option<Method>,
    /// On the halves of the controls that were not learnt from, mean over runs.
    pub halves: Option<HeldOut>,
    /// The verdict on each run by itself, where there are several.
    pub runs: Vec<(String, Level)>,
    /// Markers the controls hold no evidence about, in any sample.
    pub no_evidence: Vec<String>,
}

impl Verdict {
    /// The level of one run.
    pub fn of(&self, run: &str) -> Option<Level> {
        match self.runs.is_empty() {
            true => Some(self.level),
            false => self.runs.iter().find(|r| r.0 == run).map(|r| r.1),
        }
    }
}

/// What a verdict on one method rests on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// On the halves of the controls that were not learnt from.
    pub halves: Option<HeldOut>,
    /// Share of the movement that the controls ask for which the sample made.
    pub follows: Option<f64>,
    /// Distance of an independent control to where it should arrive, by method.
    pub independent: Vec<(Method, f64)>,
    /// Share of the markers the controls hold no evidence about.
    pub silent: f64,
}

/// A rival must be this much closer to be called better: below, the difference is noise.
const CLEARLY: f64 = 0.95;

/// Share of the distance above chance that must go for a good verdict; below a fifth of it is a bad one.
const MOST: f64 = 0.5;
const LITTLE: f64 = 0.2;

/// How far above chance the distance between the controls must be for halves of them to speak against a method: both what is
/// learnt and what is judged vary by about as much as chance.
const CLEAR: f64 = 2.5;

/// Share of the movement asked for below which a sample stays behind. On simulated experiments the exact truth makes 44 % and more
/// of it.
const BEHIND: f64 = 0.25;

struct Said {
    level: Level,
    text: String,
    recommended: Option<Method>,
}

impl Said {
    fn new(level: Level, recommended: Option<Method>, text: String) -> Self {
        Self { level, text, recommended }
    }
}

impl Evidence {
    fn of(chosen: Method, scores: &[&SampleScore]) -> Self {
        let mean = |of: &dyn Fn(&SampleScore) -> Option<f64>| {
            let v: Vec<f64> = scores.iter().filter_map(|s| of(s)).filter(|x| x.is_finite()).collect();
            (!v.is_empty()).then(|| v.iter().sum::<f64>() / v.len() as f64)
        };
        let emd = |method: Method| mean(&|s| s.of(method)?.holdout.as_ref().map(|h| h.emd_after));
        let halves = scores.iter().filter_map(|s| s.of(chosen)?.halves.as_ref());
        Self {
            halves: HeldOut::mean(halves),
            follows: mean(&|s| s.of(chosen)?.follows),
            independent: Method::ALL.into_iter().filter_map(|m| Some((m, emd(m)?))).collect(),
            silent: mean(&|s| Some(s.no_evidence.len() as f64 / s.markers.max(1) as f64)).unwrap_or(0.0),
        }
    }

    /// How good the chosen method is by this evidence.
    pub fn level(&self, chosen: Method) -> Level {
        self.judge(chosen).level
    }

    fn judge(&self, chosen: Method) -> Said {
        let by = |method| self.independent.iter().find(|i| i.0 == method).map(|i| i.1);
        let said = match (by(chosen), by(Method::None), self.halves) {
            (Some(own), Some(nothing), _) => self.by_independent(chosen, own, nothing),
            (_, _, Some(halves)) => self.by_halves(chosen, halves),
            _ => Said::new(
                Level::Caution,
                None,
                "no controls are at hand, so this result cannot be judged; go by the verdict of the run that learnt the edit"
                    .into(),
            ),
        };
        if said.level == Level::Good && self.silent > 0.5 {
            let text = format!("{}, but the controls hold no evidence about most markers", said.text);
            return Said::new(Level::Caution, said.recommended, text);
        }
        said
    }

    fn by_halves(&self, chosen: Method, halves: HeldOut) -> Said {
        let (name, HeldOut { before, after, noise }) = (chosen.name(), halves);
        let numbers = format!("EMD {before:.3} → {after:.3}, chance leaves {noise:.3}");
        let Some(gone) = halves.gone() else {
            let text = format!(
                "the controls of the runs differ by little more than two halves of one control (EMD {before:.3}, chance \
                 {noise:.3}): there is nothing to correct, use the files as they are"
            );
            return Said::new(Level::Caution, Some(Method::None), text);
        };
        let percent = 100.0 * gone;
        if gone < MOST && after < before + noise && before < CLEAR * noise {
            let text = format!(
                "the controls have too few cells to judge {name} on halves of them ({numbers}): look at the report before you use \
                 this result; more control cells or a second control pair (--holdout) would tell"
            );
            return Said::new(Level::Caution, None, text);
        }
        if gone < LITTLE {
            let text = format!(
                "on control cells it did not learn from, {name} takes {percent:.0} % of the distance between the runs away \
                 ({numbers}): do not use this result; check that both controls are the same material, how markers are paired and \
                 the scale"
            );
            return Said::new(Level::Bad, None, text);
        }
        if gone < MOST {
            let text = format!(
                "on control cells it did not learn from, {name} takes only {percent:.0} % of the distance between the runs away \
                 ({numbers}): look at the markers in the report before you use this result, or try another --method"
            );
            return Said::new(Level::Caution, None, text);
        }
        if let Some(follows) = self.follows.filter(|f| *f < BEHIND) {
            let text = format!(
                "{name} brings the controls together ({numbers}), but the sample makes only {:.0} % of the movement that the \
                 controls ask for: compare sample and controls in the report before you use this result",
                100.0 * follows
            );
            return Said::new(Level::Caution, None, text);
        }
        let text = format!(
            "on control cells it did not learn from, {name} takes {percent:.0} % of the distance between the runs away \
             ({numbers}), and the sample moves as the controls do: use the corrected files; a second control pair (--holdout) would \
             also tell which method is best"
        );
        Said::new(Level::Good, None, text)
    }

    fn by_independent(&self, chosen: Method, own: f64, nothing: f64) -> Said {
        let name = chosen.name();
        let best = self.independent.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
        let (best, closest) = best.unwrap_or((Method::None, nothing));
        if nothing <= own && (nothing * CLEARLY < closest || best == Method::None) {
            let text = format!(
                "no method brings the held-out control closer than leaving it alone (EMD {nothing:.3} uncorrected, {own:.3} \
                 by {name}): do not correct with these controls, use the files as they are"
            );
            return Said::new(Level::Bad, Some(Method::None), text);
        }
        if best != chosen && closest < CLEARLY * own {
            let level = if own < nothing { Level::Caution } else { Level::Bad };
            let text = format!(
                "{} is closer on the held-out control than {name} (EMD {closest:.3}, {name} {own:.3}, uncorrected \
                 {nothing:.3}): use --method {}",
                best.name(),
                best.name()
            );
            return Said::new(level, Some(best), text);
        }
        let gone = 100.0 * (1.0 - own / nothing);
        let text = format!(
            "{name} takes {gone:.0} % of the distance of the held-out control away (EMD {nothing:.3} → {own:.3}), and no other \
             method is clearly closer: use the corrected files"
        );
        Said::new(Level::Good, Some(chosen), text)
    }
}

/// The verdict over all scored samples. Methods are compared with each other on an independent control only: halves of the
/// controls that were learnt from always favour the percentile maps.
pub fn verdict(chosen: Method, scores: &[SampleScore]) -> Verdict {
    let all: Vec<&SampleScore> = scores.iter().collect();
    let evidence = Evidence::of(chosen, &all);
    let mut said = evidence.judge(chosen);
    let level = |run: &str| {
        let of: Vec<&SampleScore> = scores.iter().filter(|s| s.run == run).collect();
        (run.to_owned(), Evidence::of(chosen, &of).level(chosen))
    };
    let mut runs: Vec<(String, Level)> = Vec::new();
    for score in scores {
        if !runs.iter().any(|r| r.0 == score.run) {
            runs.push(level(&score.run));
        }
    }
    if runs.len() < 2 {
        runs.clear();
    }
    let worse: Vec<&str> = runs.iter().filter(|r| r.1 > said.level).map(|r| r.0.as_str()).collect();
    if said.level == Level::Good && !worse.is_empty() {
        said.level = Level::Caution;
        said.text = format!(
            "{}. This does not hold for run {}: look at it before you use it",
            said.text,
            worse.join(", run ")
        );
    }
    let mut no_evidence: Vec<String> = Vec::new();
    for marker in scores.iter().flat_map(|s| &s.no_evidence) {
        if !no_evidence.contains(marker) {
            no_evidence.push(marker.clone());
        }
    }
    if !no_evidence.is_empty() {
        said.text = format!(
            "{}. The controls hold no evidence about {}: samples reach beyond them there, so do not read changes of these markers",
            said.text,
            no_evidence.join(", ")
        );
    }
    Verdict {
        level: said.level,
        text: said.text,
        recommended: said.recommended,
        halves: evidence.halves,
        runs,
        no_evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::{HoldoutScore, MethodScore};
    use super::*;

    fn scores(halves: Option<[f64; 3]>, emd: Option<[f64; 5]>) -> Vec<SampleScore> {
        let methods = Method::ALL
            .into_iter()
            .enumerate()
            .map(|(i, method)| MethodScore {
                method,
                r: Some(-0.11),
                slope: None,
                rmse: None,
                outside: None,
                negative: None,
                zeros: None,
                follows: Some(0.9),
                halves: halves.map(|[before, after, noise]| HeldOut { before, after, noise }),
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
        let score = SampleScore {
            run: "a".into(),
            sample: "b".into(),
            cells: 1,
            markers: 10,
            zeros: [None; 2],
            no_evidence: vec![],
            methods,
            medians: vec![],
        };
        vec![score]
    }

    fn of(halves: [f64; 3]) -> Verdict {
        verdict(Method::NeuronEdit, &scores(Some(halves), None))
    }

    #[test]
    fn the_distance_that_goes_decides_and_no_correlation_of_medians() {
        assert_eq!(of([0.28, 0.04, 0.03]).level, Level::Good);
        assert_eq!(of([0.28, 0.20, 0.03]).level, Level::Caution);
        assert_eq!(of([0.28, 0.28, 0.03]).level, Level::Bad);
        assert_eq!(of([0.28, 0.60, 0.03]).level, Level::Bad);
        let alike = of([0.04, 0.03, 0.03]);
        assert_eq!((alike.level, alike.recommended), (Level::Caution, Some(Method::None)));
        assert!(alike.text.contains("nothing to correct"), "{}", alike.text);
    }

    #[test]
    fn few_control_cells_speak_against_nothing_but_the_wrong_way() {
        let few = of([0.32, 0.319, 0.194]);
        assert!(few.level == Level::Caution && few.text.contains("too few cells"), "{}", few.text);
        assert_eq!(of([0.32, 0.6, 0.194]).level, Level::Bad);
    }

    #[test]
    fn a_sample_that_stays_behind_is_no_good() {
        let mut s = scores(Some([0.28, 0.04, 0.03]), None);
        s[0].methods[0].follows = Some(0.0);
        let v = verdict(Method::NeuronEdit, &s);
        assert!(v.level == Level::Caution && v.text.contains("only 0 %"), "{}", v.text);
    }

    #[test]
    fn markers_without_evidence_are_named_and_most_of_them_spoil_the_verdict() {
        let mut s = scores(Some([0.28, 0.04, 0.03]), None);
        s[0].no_evidence = vec!["CD3".into()];
        let v = verdict(Method::NeuronEdit, &s);
        assert!(v.level == Level::Good && v.text.contains("no evidence about CD3"), "{}", v.text);
        s[0].markers = 1;
        assert_eq!(verdict(Method::NeuronEdit, &s).level, Level::Caution);
    }

    #[test]
    fn one_bad_run_among_good_ones_is_named() {
        let mut s = scores(Some([0.28, 0.04, 0.03]), None);
        s.extend(scores(Some([0.28, 0.04, 0.03]), None));
        s.extend(scores(Some([0.28, 0.28, 0.03]), None));
        s.iter_mut().zip(["a", "b", "c"]).for_each(|(s, run)| s.run = run.into());
        let v = verdict(Method::NeuronEdit, &s);
        assert!(v.level == Level::Caution && v.text.contains("does not hold for run c:"), "{}", v.text);
        assert_eq!(v.runs.iter().map(|r| r.1).collect::<Vec<_>>(), [Level::Good, Level::Good, Level::Bad]);
    }

    #[test]
    fn without_controls_nothing_is_said_for_or_against() {
        let v = verdict(Method::NeuronEdit, &scores(None, None));
        assert_eq!((v.level, v.recommended), (Level::Caution, None));
    }

    #[test]
    fn a_closer_rival_is_named_with_the_option_that_takes_it() {
        let v = verdict(Method::NeuronEdit, &scores(None, Some([0.42, 0.41, 0.34, 0.44, 0.87])));
        assert_eq!(v.recommended, Some(Method::Ambient));
        assert!(v.text.ends_with("use --method ambient"), "{}", v.text);
    }

    #[test]
    fn a_small_difference_is_no_reason_to_change() {
        let v = verdict(Method::NeuronEdit, &scores(None, Some([0.345, 0.41, 0.34, 0.44, 0.87])));
        assert_eq!((v.level, v.recommended), (Level::Good, Some(Method::NeuronEdit)));
    }

    #[test]
    fn when_nothing_helps_the_verdict_says_so() {
        let v = verdict(Method::NeuronEdit, &scores(None, Some([0.5, 0.5, 0.45, 0.44, 0.4])));
        assert_eq!((v.level, v.recommended), (Level::Bad, Some(Method::None)));
        let v = verdict(Method::NeuronEdit, &scores(None, Some([0.5, 0.5, 0.2, 0.44, 0.4])));
        assert_eq!((v.level, v.recommended), (Level::Bad, Some(Method::Ambient)));
    }
}
