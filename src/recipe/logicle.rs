//! The logicle scale: linear around zero, logarithmic far from it (Moore and Parks, Cytometry A 2012).

use super::RecipeError;

/// A logicle scale: `a·e^(b·y) − c·e^(−d·y) + f` is the data value at `y`, 0 to 1 from the bottom to the top of the scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Logicle {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    f: f64,
    /// Where zero lies.
    zero: f64,
    /// Slope at zero, data value per unit of the scale.
    slope: f64,
}

impl Logicle {
    /// A scale with top `t`, `w` decades that are about linear, `m` decades in all and `a` more below zero.
    ///
    /// # Errors
    /// [`RecipeError::Usage`] when the numbers make no scale.
    pub fn new(t: f64, w: f64, m: f64, a: f64) -> Result<Self, RecipeError> {
        let finite = [t, w, m, a].iter().all(|x| x.is_finite());
        if !(finite && t > 0.0 && m > 0.0 && w >= 0.0 && 2.0 * w <= m && -a <= w && a + w <= m - w) {
            return Err(RecipeError::usage(format!(
                "logicle: t {t}, w {w}, m {m}, a {a} make no scale: t and m above 0, 0 ≤ w ≤ m/2, −w ≤ a ≤ m − 2w"
            )));
        }
        let wide = m + a;
        let linear = w / wide;
        let left = a / wide;
        let zero = left + linear;
        let b = wide * std::f64::consts::LN_10;
        let d = decay(b, linear);
        // The second derivative vanishes at zero, and the scale is odd around it.
        let c = ((left + 2.0 * linear) * (b + d)).exp();
        let f = (b * zero).exp() - c * (-d * zero).exp();
        let scale = t / (b.exp() - f - c * (-d).exp());
        let (a, c, f) = (scale, c * scale, -f * scale);
        let slope = a * b * (b * zero).exp() + c * d * (-d * zero).exp();
        Ok(Self { a, b, c, d, f, zero, slope })
    }

    /// Data value → scale.
    pub fn scale(&self, x: f64) -> f64 {
        if x == 0.0 {
            return self.zero;
        }
        if !x.is_finite() {
            return x;
        }
        if x < 0.0 {
            return 2.0 * self.zero - self.scale(-x);
        }
        // The curve is convex above zero: the tangent at zero bounds from above, the exponential alone from below, and
        // Newton's steps do not overshoot twice.
        let above = self.zero + x / self.slope;
        let below = ((x - self.f) / self.a).ln() / self.b;
        let mut y = if below.is_finite() && below > self.zero { below.min(above) } else { above };
        for _ in 0..60 {
            let (up, down) = (self.a * (self.b * y).exp(), self.c * (-self.d * y).exp());
            let step = (up - down + self.f - x) / (self.b * up + self.d * down);
            y -= step;
            if step.abs() <= 1e-15 * y.abs().max(0.1) {
                break;
            }
        }
        y
    }

    /// Scale → data value.
    pub fn inverse(&self, y: f64) -> f64 {
        if y < self.zero {
            return -self.inverse(2.0 * self.zero - y);
        }
        self.a * (self.b * y).exp() - self.c * (-self.d * y).exp() + self.f
    }
}

/// The second exponent: where `2 (ln d − ln b) + w (b + d)` is zero, between 0 and `b`.
fn decay(b: f64, w: f64) -> f64 {
    if w == 0.0 {
        return b;
    }
    let (mut low, mut high) = (0.0, b);
    for _ in 0..200 {
        let d = f64::midpoint(low, high);
        if 2.0 * (d / b).ln() + w * (b + d) > 0.0 {
            high = d;
        } else {
            low = d;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_runs_from_zero_to_one_and_back() {
        for (t, w, m, a) in [(262_144.0, 0.5, 4.5, 0.0), (10_000.0, 1.0, 4.0, 0.5), (1000.0, 0.0, 4.0, 1.0)] {
            let s = Logicle::new(t, w, m, a).unwrap();
            assert!((s.scale(t) - 1.0).abs() < 1e-13);
            assert!((s.scale(0.0) - (w + a) / (m + a)).abs() < 1e-13);
            for x in [-t, -300.0, -1.0, -1e-6, 1e-6, 0.5, 20.0, 5000.0, 2.0 * t] {
                let back = s.inverse(s.scale(x));
                assert!((back - x).abs() < 1e-9 * x.abs().max(1e-3), "{x} came back as {back}");
            }
        }
    }

    #[test]
    fn numbers_that_make_no_scale_are_refused() {
        for (t, w, m, a) in
            [(0.0, 0.5, 4.5, 0.0), (1e5, 3.0, 4.5, 0.0), (1e5, 0.5, 4.5, -1.0), (1e5, 0.5, f64::NAN, 0.0)]
        {
            assert!(Logicle::new(t, w, m, a).is_err(), "{t} {w} {m} {a}");
        }
    }
}
