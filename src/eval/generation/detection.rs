//! Can a random forest tell generated cells from real ones?

use super::{GenerationError, derive, mean_sd};
use crate::eval::{roc_auc, roc_curve, stratified_folds};
use crate::linalg::{Forest, ForestConfig, Pca, SparseRows};
use crate::rng::Seed;

/// What a classifier looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// All genes, on the logarithmic scale.
    Genes,
    /// Principal components of them, fitted on the training folds only.
    Components,
}

/// How a classifier is trained and asked.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionConfig {
    /// Trees of each forest.
    pub trees: usize,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Principal components at most.
    pub components: usize,
    /// Seed of folds and forests.
    pub seed: Seed,
}

impl Default for DetectionConfig {
    /// 1,000 trees, 5 folds, 50 components.
    fn default() -> Self {
        Self { trees: 1000, folds: 5, components: 50, seed: Seed(0) }
    }
}

/// How well real and generated cells were told apart: 0.5 not at all, 1 always.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Detection {
    /// What the classifier looked at.
    pub space: Space,
    /// What both sides were scaled to before the logarithm; none when library sizes were left as they are.
    pub scaled_to: Option<f64>,
    /// Principal components, where they were used.
    pub components: Option<usize>,
    /// Trees of each forest.
    pub trees: usize,
    /// Cells on each side.
    pub cells: usize,
    /// Area under the ROC curve, mean over the folds.
    pub auc: f64,
    /// Its sample standard deviation over the folds.
    pub sd: f64,
    /// The area in each fold.
    pub folds: Vec<f64>,
    /// Points of the ROC curve of all folds together, (false, true) positive rates, real cells being the positives.
    pub roc: Vec<(f64, f64)>,
}

/// Points of a stored ROC curve at most.
const POINTS: usize = 201;

/// Cross-validated area under the ROC curve of a random forest with real against generated cells; both on the same scale,
/// cells × the same genes, and equally many of both (those beyond the smaller number are left out).
///
/// # Errors
/// Fewer cells on a side than folds, other genes, values that are not finite.
pub fn detect(
    real: &SparseRows,
    generated: &SparseRows,
    space: Space,
    scaled_to: Option<f64>,
    config: &DetectionConfig,
) -> Result<Detection, GenerationError> {
    let cells = real.rows().min(generated.rows());
    if cells < config.folds.max(2) || config.folds < 2 || config.trees == 0 {
        return Err(GenerationError::input(format!(
            "{cells} real and as many generated cells, {} folds and {} trees: a classifier needs at least two folds, a \
             cell of both kinds in each, and a tree",
            config.folds, config.trees
        )));
    }
    let pick = |x: &SparseRows, name: &str| config.seed.stream(name).sample(x.rows(), cells);
    let of_real = pick(real, "detection/real");
    let all = real.select_with(&of_real, generated, &pick(generated, "detection/generated"));
    let classes: Vec<usize> = (0..2 * cells).map(|i| usize::from(i < cells)).collect();
    let part = stratified_folds(&classes, config.folds, derive(config.seed, "detection/folds"));
    let (mut areas, mut scores) = (Vec::new(), vec![0.0; 2 * cells]);
    let mut components = None;
    for fold in 0..config.folds {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..2 * cells).partition(|&i| part[i] == fold);
        let of = |rows: &[usize]| rows.iter().map(|&i| classes[i]).collect::<Vec<_>>();
        let (x, z) = (all.select(&train), all.select(&test));
        let seed = derive(config.seed, &format!("detection/forest/{fold}"));
        let forest = ForestConfig { trees: config.trees, seed, ..ForestConfig::default() };
        let p = match space {
            Space::Genes => Forest::fit_sparse(&x, &of(&train), 2, &forest)?.probabilities_sparse(&z)?,
            Space::Components => {
                let k = config.components.min(x.rows() - 1).min(x.columns());
                components = Some(k);
                let pca = Pca::fit_sparse(&x, k, seed)?;
                let single = |x: &SparseRows| pca.transform_sparse(x).map(|t| t.mapv(|v| v as f32));
                let (x, z) = (single(&x)?, single(&z)?);
                Forest::fit(x.view(), &of(&train), 2, &forest)?.probabilities(z.view())?
            }
        };
        let p = p.column(1).to_vec();
        let positive: Vec<bool> = test.iter().map(|&i| classes[i] == 1).collect();
        areas.push(roc_auc(&p, &positive));
        test.iter().zip(&p).for_each(|(&i, &p)| scores[i] = p);
    }
    let (auc, sd) = mean_sd(&areas);
    let positive: Vec<bool> = classes.iter().map(|c| *c == 1).collect();
    Ok(Detection {
        space,
        scaled_to,
        components,
        trees: config.trees,
        cells,
        auc,
        sd,
        folds: areas,
        roc: thin(&roc_curve(&scores, &positive)),
    })
}

/// Some points of a curve, its ends included.
fn thin(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let last = curve.len().saturating_sub(1);
    let kept = curve.len().min(POINTS);
    (0..kept).filter_map(|i| curve.get(i * last / (kept - 1).max(1)).copied()).collect()
}
