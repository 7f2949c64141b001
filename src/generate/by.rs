//! Clusters divided by the values of another column, such as the donor, so that cells are made for each of them.

use std::borrow::Cow;

use super::{GenerateError, Material, Request};
use crate::data::{Frame, Take, ValueKind, find_value};
use crate::loader::labels::groups;
use crate::loader::{By, LabelError, Labels, NO_LABEL, too_few};

/// Cells of a cluster that one value must have. With fewer, what is particular to the value cannot be told from chance.
pub const LEAST_OF_A_VALUE: usize = 10;

impl Material {
    /// Divides clusters by the values of the column `by`: each pair of a cluster and a value becomes a label of its own,
    /// which the model learns beside the others. Pairs of fewer than [`LEAST_OF_A_VALUE`] cells are not divided off, and
    /// are listed in [`Material::changes`]. `obs` is the table of all cells that the material was read from.
    ///
    /// # Errors
    /// [`GenerateError`] when the column or a cluster is not there, or no pair has enough cells.
    pub fn divide(&mut self, obs: &Frame, by: &str, clusters: &[String]) -> Result<(), GenerateError> {
        if by == self.labels.key {
            return Err(GenerateError::usage(format!(
                "--by {by}: this column holds the clusters; give the column of donors or samples, or other clusters with \
                 --cluster-key"
            )));
        }
        let column = obs.column(by).ok_or_else(|| LabelError::missing(by, obs))?;
        let (values, names) = groups(column, by)?;
        let values: Vec<Option<usize>> = match &self.real {
            Some(rows) => rows.iter().map(|&r| values.get(r).copied().flatten()).collect(),
            None => values,
        };
        let wanted = clusters.iter().map(|c| self.labels.code(c)).collect::<Result<Vec<_>, _>>()?;
        let mut labels = Vec::new();
        let mut parts = Vec::new();
        let mut new: Vec<u32> = vec![NO_LABEL; self.labels.codes.len()];
        for (code, cluster) in self.labels.names.iter().enumerate() {
            let own: Vec<usize> =
                self.cells.iter().copied().filter(|&c| self.labels.codes[c] as usize == code).collect();
            let mut rest = own.clone();
            if wanted.contains(&(code as u32)) {
                for (value, name) in names.iter().enumerate() {
                    let of: Vec<usize> = own.iter().copied().filter(|&c| values[c] == Some(value)).collect();
                    if of.len() < LEAST_OF_A_VALUE {
                        // A category without cells anywhere is no donor.
                        if values.contains(&Some(value)) {
                            let what = format!("obs[{by:?}] = {name} in {cluster}");
                            self.changes.push(too_few(&what, of.len(), LEAST_OF_A_VALUE));
                        }
                        continue;
                    }
                    of.iter().for_each(|&c| new[c] = labels.len() as u32);
                    rest.retain(|&c| values[c] != Some(value));
                    labels.push(format!("{cluster} ({by} {name})"));
                    parts.push((cluster.clone(), Some(name.clone())));
                }
            }
            if rest.len() >= super::material::LEAST_OF_A_LABEL {
                rest.iter().for_each(|&c| new[c] = labels.len() as u32);
                labels.push(cluster.clone());
                parts.push((cluster.clone(), None));
            }
        }
        if parts.iter().all(|p| p.1.is_none()) {
            return Err(GenerateError::input(format!(
                "--by {by}: no value has {LEAST_OF_A_VALUE} cells of {} or more to learn from; leave --by out, or take a \
                 column of fewer values",
                clusters.join(" or ")
            )));
        }
        self.cells.retain(|&c| new[c] != NO_LABEL);
        self.labels.names = labels;
        self.labels.codes = new;
        self.labels.by = Some(By { key: by.into(), kind: ValueKind::of(column), parts });
        Ok(())
    }

    /// The rows of a table of all cells that are real.
    pub(super) fn real_rows<'a>(&self, obs: &'a Frame) -> Result<Cow<'a, Frame>, GenerateError> {
        match &self.real {
            Some(rows) => Ok(Cow::Owned(obs.take(&Take::entries(obs.len(), rows)?)?)),
            None => Ok(Cow::Borrowed(obs)),
        }
    }
}

/// Requests for `n` cells of each of these clusters, each once; with `by`, of each value in each of them.
///
/// # Errors
/// [`GenerateError`] when a cluster is not there, or the labels are not divided as they should be.
pub fn wanted(
    labels: &Labels,
    clusters: &[String],
    by: Option<&str>,
    n: usize,
) -> Result<Vec<Request>, GenerateError> {
    match (by, labels.by.as_ref().map(|b| b.key.as_str())) {
        (None, None) => {}
        (Some(asked), Some(own)) if asked == own => {}
        (Some(asked), _) => {
            return Err(GenerateError::usage(format!(
                "--by {asked}: the stored model was not trained by {asked}; leave out --model-dir to train one, or leave \
                 out --by"
            )));
        }
        (None, Some(own)) => {
            return Err(GenerateError::usage(format!(
                "the stored model was trained for each {own}; add --by {own}"
            )));
        }
    }
    let (mut codes, mut small) = (Vec::<u32>::new(), None);
    for cluster in clusters {
        let Some(by) = &labels.by else {
            match labels.code(cluster) {
                Ok(code) => codes.push(code),
                // It is named in the report, and does not stop the others.
                Err(e @ LabelError::TooFew { .. }) => small = Some(e),
                Err(e) => return Err(e.into()),
            }
            continue;
        };
        let own = || by.parts.iter().map(|p| p.0.as_str());
        let mut names: Vec<&str> = own().collect();
        names.dedup();
        let at = find_value(names.iter().copied(), cluster)
            .ok_or_else(|| labels.unknown(cluster, names.iter().copied()))?;
        let of = by.parts.iter().enumerate().filter(|(_, p)| p.0 == names[at] && p.1.is_some());
        codes.extend(of.map(|(code, _)| code as u32));
    }
    if let (true, Some(e)) = (codes.is_empty(), small) {
        return Err(e.into());
    }
    let mut requests: Vec<Request> = Vec::new();
    for code in codes {
        if requests.iter().all(|r| r.label != Some(code)) {
            requests.push(Request { label: Some(code), confirmed: true, n });
        }
    }
    Ok(requests)
}
