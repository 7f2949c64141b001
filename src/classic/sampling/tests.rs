use super::*;
use crate::data::Counts;
use crate::rng::Seed;

/// Two kinds of cells over 30 genes; genes 0 to 4 of the first go up and down together.
pub(in crate::classic) fn toy(cells: usize) -> (Counts, Vec<usize>) {
    let mut s = Seed(9).stream("toy");
    let mut out = Counts::empty(30);
    let labels: Vec<usize> = (0..cells).map(|c| usize::from(c % 4 == 0)).collect();
    for &label in &labels {
        let (size, together) = ((0.4 * s.normal()).exp(), (0.6 * s.normal()).exp());
        let row: Vec<(u32, u32)> = (0..30u32)
            .map(|g| {
                let mean = match (label, g) {
                    (0, 0..5) => 4.0 * together,
                    (1, 0..5) => 0.5,
                    (1, 10..15) => 9.0,
                    _ => 1.0 + f64::from(g) / 10.0,
                };
                (g, s.negative_binomial(mean * size, 4.0) as u32)
            })
            .collect();
        out.push(row);
    }
    (out, labels)
}

#[test]
fn every_baseline_repeats_itself_and_comes_back_from_json() {
    let (counts, labels) = toy(200);
    for baseline in Baseline::ALL {
        let sampler = baseline.fit(&counts, &labels, 3, Seed(1)).unwrap();
        let draw = |s: &Sampler| s.sample(1, 20, &mut Seed(2).stream("cells")).unwrap();
        let cells = draw(&sampler);
        assert_eq!((cells.n_cells(), cells.n_genes()), (20, 30));
        assert_eq!((sampler.n_genes(), sampler.n_labels()), (30, 3));
        assert_eq!(baseline.fit(&counts, &labels, 3, Seed(1)).unwrap(), sampler);
        let text = serde_json::to_string(&sampler).unwrap();
        let back: Sampler = serde_json::from_str(&text).unwrap();
        assert_eq!(draw(&back), cells, "{}", baseline.name());
        // Its genes show which cell has label 1, not its number.
        let sum = |c: &Counts, genes: std::ops::Range<u32>| -> u64 {
            (0..c.n_cells())
                .flat_map(|i| {
                    let (g, v) = c.cell(i);
                    g.iter().zip(v).filter(|(g, _)| genes.contains(g)).map(|(_, &v)| u64::from(v))
                })
                .sum()
        };
        if baseline != Baseline::NbPooled {
            assert!(sum(&cells, 10..15) > 4 * sum(&cells, 0..5), "{}", baseline.name());
        }
    }
}

#[test]
fn labels_that_do_not_fit_and_empty_labels_are_named() {
    let (counts, labels) = toy(40);
    for baseline in Baseline::ALL {
        assert!(matches!(
            baseline.fit(&counts, &labels[1..], 2, Seed(0)),
            Err(SampleError::Lengths { labels: 39, cells: 40 })
        ));
        assert!(matches!(
            baseline.fit(&counts, &labels, 1, Seed(0)),
            Err(SampleError::NoLabel { label: 1, n_labels: 1 })
        ));
        let sampler = baseline.fit(&counts, &labels, 3, Seed(0)).unwrap();
        let mut stream = Seed(0).stream("x");
        assert!(matches!(
            sampler.sample(2, 1, &mut stream),
            Err(SampleError::TooFew { label: 2, found: 0, .. })
        ));
        assert!(matches!(sampler.sample(3, 1, &mut stream), Err(SampleError::NoLabel { label: 3, .. })));
    }
}
