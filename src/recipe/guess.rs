//! Do stored values look transformed already?

/// Running look at stored values: do they look already transformed?
#[derive(Debug, Clone, Copy, Default)]
pub struct ScaleGuess {
    max: f64,
    fractions: u64,
    n: u64,
}

impl ScaleGuess {
    /// Takes one stored value into account.
    pub fn see(&mut self, x: f64) {
        self.max = self.max.max(x);
        self.fractions += u64::from(x.fract() != 0.0);
        self.n += 1;
    }

    /// Takes into account what another look has seen.
    pub fn take(&mut self, other: &Self) {
        self.max = self.max.max(other.max);
        self.fractions += other.fractions;
        self.n += other.n;
    }

    /// The largest value seen.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Whether the values look as if arcsinh or a logarithm had been taken already: the maximum is below 15 and more
    /// than a fifth of the values are not whole numbers.
    pub fn looks_transformed(&self) -> bool {
        self.n > 0 && self.max < 15.0 && self.fractions * 5 > self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_raw_intensities_do_not_look_transformed() {
        let guess = |v: &[f64]| {
            let mut g = ScaleGuess::default();
            v.iter().for_each(|&x| g.see(x));
            g.looks_transformed()
        };
        assert!(guess(&[0.1, 2.5, 7.3]));
        assert!(!guess(&[0.0, 2.0, 7.0]), "small counts");
        assert!(!guess(&[0.1, 2.5, 700.3]), "raw intensities");
        assert!(!guess(&[]));
    }
}
