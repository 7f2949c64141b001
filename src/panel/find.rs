//! The column of one file that holds the marker of another.

use super::choose::Judged;
use super::column::Column;
use super::pair::How;
use super::stain;

/// Why a marker has no column in another file; with the place of the column that stands in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// Its channel carries another stain there.
    OtherStain(usize),
    /// Its channel carries no stain there.
    NoStain(usize),
    /// It has no stain, and the channel carries one there.
    NoStainHere(usize),
    /// Several columns have its stain, here or there.
    Ambiguous(usize),
    /// Neither its stain nor its channel is there.
    Absent,
}

/// Whether two columns spell their stain the same.
fn same_spelling(a: &Column, b: &Column) -> bool {
    !a.stored.is_empty() && a.stored == b.stored
}

/// Whether two columns lie on one channel.
pub(super) fn same_channel(a: &Column, b: &Column) -> bool {
    !a.channel_key.is_empty() && a.channel_key == b.channel_key
}

/// How a pair of columns with one key was made.
pub(super) fn how(a: &Column, b: &Column) -> How {
    let as_stored = |c: &Column| if c.stored.is_empty() { c.channel.clone() } else { c.stored.clone() };
    let own = |c: &Column| stain::key(&as_stored(c));
    match () {
        () if as_stored(a) == as_stored(b) => How::SameStain,
        () if (a.panel.is_some() || b.panel.is_some()) && own(a) != own(b) => How::PanelFile,
        () => How::FoldedStain,
    }
}

/// The place in `other` of the column that holds marker `m`, one of the columns `own` of its file. Of several columns
/// with its stain, the one that spells it the same, else the one on its channel, else the one at the same place among
/// those that share both; never a guess. A channel alone tells only where both have no stain.
pub(super) fn find(m: &Column, own: &[&Column], other: &Judged) -> Result<(usize, How), Miss> {
    if !m.key.is_empty()
        && let Some(found) = by_stain(m, own, other)
    {
        return found;
    }
    by_channel(m, own, other)
}

fn by_stain(m: &Column, own: &[&Column], other: &Judged) -> Option<Result<(usize, How), Miss>> {
    let there: Vec<usize> = (0..other.columns.len()).filter(|&j| other.columns[j].key == m.key).collect();
    let markers: Vec<usize> = there.iter().copied().filter(|&j| other.reasons[j].is_none()).collect();
    let there = if markers.is_empty() { there } else { markers };
    let here: Vec<&Column> = own.iter().copied().filter(|c| c.key == m.key).collect();
    let first = *there.first()?;
    let pair = |j: usize| Some(Ok((j, how(m, &other.columns[j]))));
    if here.len() <= 1 && there.len() == 1 {
        return pair(first);
    }
    for same in [same_spelling, same_channel] {
        let mut hits = there.iter().filter(|&&j| same(m, &other.columns[j]));
        if let (Some(&j), None, 1) = (hits.next(), hits.next(), here.iter().filter(|c| same(m, c)).count()) {
            return pair(j);
        }
    }
    Some(
        twin(m, &here, &there, other)
            .map_or(Err(Miss::Ambiguous(first)), |j| Ok((j, how(m, &other.columns[j])))),
    )
}

/// Of columns that share stain and channel, the one at the same place among them, where both files have as many.
fn twin(m: &Column, here: &[&Column], there: &[usize], other: &Judged) -> Option<usize> {
    let same = |c: &Column| c.stored == m.stored && c.channel == m.channel;
    let here: Vec<&&Column> = here.iter().filter(|c| same(c)).collect();
    let there: Vec<usize> = there.iter().copied().filter(|&j| same(&other.columns[j])).collect();
    let place = here.iter().position(|c| c.at == m.at)?;
    if here.len() == there.len() { there.get(place).copied() } else { None }
}

fn by_channel(m: &Column, own: &[&Column], other: &Judged) -> Result<(usize, How), Miss> {
    let all = 0..other.columns.len();
    let exact: Vec<usize> = all.clone().filter(|&j| other.columns[j].channel == m.channel).collect();
    let there =
        if exact.is_empty() { all.filter(|&j| same_channel(m, &other.columns[j])).collect() } else { exact };
    let Some(&first) = there.first() else { return Err(Miss::Absent) };
    let o = &other.columns[first];
    let unstored = m.stored.is_empty() && o.stored.is_empty();
    let nameless = m.says.is_empty() && o.says.is_empty();
    // A name of a column served as stain: the same name is the same column.
    let same_name = unstored && m.channel == o.channel;
    if !(nameless || same_name) {
        return Err(match (m.says.is_empty(), o.says.is_empty()) {
            (false, true) => Miss::NoStain(first),
            (true, false) => Miss::NoStainHere(first),
            _ => Miss::OtherStain(first),
        });
    }
    if there.len() == 1 {
        return Ok((first, How::Channel));
    }
    let here: Vec<&Column> = own.iter().copied().filter(|c| c.channel == m.channel).collect();
    twin(m, &here, &there, other).map(|j| (j, How::Channel)).ok_or(Miss::Ambiguous(first))
}
