//! Time that goes on from file to file.

use super::scale::make_linear;
use super::{Changes, ConcatError, Piece, fail};
use crate::data::{Column, DType, Frame, Matrix, Values, amplifiers};

/// What of the keywords says when a file was begun, and when it was ended.
const BEGIN: &[&str] = &["$BTIM", "$BEGINDATETIME"];
const END: &[&str] = &["$ETIM", "$ENDDATETIME"];

/// The Time channel of one file.
#[derive(Debug)]
struct Clock {
    column: usize,
    /// Seconds of one unit, as the file states it.
    step: Option<f64>,
    low: f64,
    high: f64,
    whole: bool,
    events: usize,
}

/// Adds to the channel Time of each file but the first where the one before ended, and one step: 1 for whole numbers, else
/// the mean distance of events of the file before. Units are those of the first file (`$TIMESTEP`). The keywords of the
/// beginning are those of the first file, of the end those of the last.
///
/// # Errors
/// [`ConcatError::Usage`] when a file has no channel Time, one is logarithmic, or only some state a `$TIMESTEP`.
pub(super) fn go_on(pieces: &mut [Piece], changes: &mut Changes) -> Result<(), ConcatError> {
    let clocks = pieces.iter().map(clock).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = clocks.first() else { return Ok(()) };
    let (unit, mut end, mut distance) = (first.step, f64::NAN, 1.0);
    let step_keyword = pieces.first().and_then(|p| p.dataset.source.keywords.iter().rfind(is_step)).cloned();
    for (i, (piece, clock)) in pieces.iter_mut().zip(&clocks).enumerate() {
        let scale = scale(piece, clock, unit)?;
        let (low, high) = (clock.low * scale, clock.high * scale);
        let add = if end.is_finite() { end + distance } else { 0.0 };
        if clock.events > 0 {
            end = add + high;
            let apart = (high - low) / (clock.events.max(2) - 1) as f64;
            distance = if clock.whole && scale == 1.0 { 1.0 } else { apart };
        }
        if scale != 1.0 {
            let unit = step_keyword.clone().unwrap_or_default();
            let what = format!(
                "{}: put into steps of {} seconds, those of the first file",
                piece.file,
                unit.1.trim()
            );
            changes.add("Time", what);
            piece.dataset.source.keywords.retain(|pair| !is_step(&pair));
            piece.dataset.source.keywords.push(unit);
        }
        if i > 0 && (add != 0.0 || scale != 1.0) {
            shift(piece, clock, (scale, add), end, changes)?;
            changes.add("Time", format!("{}: begins at {}", piece.file, low + add));
        }
    }
    one_beginning_and_end(pieces);
    Ok(())
}

/// Whether this is the keyword of the unit of time.
fn is_step(pair: &&(String, String)) -> bool {
    pair.0.eq_ignore_ascii_case("$TIMESTEP")
}

/// What the values of a file are multiplied by.
fn scale(piece: &Piece, clock: &Clock, unit: Option<f64>) -> Result<f64, ConcatError> {
    match (unit, clock.step) {
        (Some(unit), Some(own)) => Ok(if own == unit { 1.0 } else { own / unit }),
        (None, None) => Ok(1.0),
        (_, own) => {
            let states = if own.is_some() {
                "states a $TIMESTEP, and the first file none"
            } else {
                "states no $TIMESTEP, as the first file does"
            };
            let what = format!(
                "{}: {states}, so that their units cannot be compared; leave --continuous-time out",
                piece.file
            );
            Err(ConcatError::Usage { what })
        }
    }
}

/// The Time channel of a file, looked through.
fn clock(piece: &Piece) -> Result<Clock, ConcatError> {
    let usage = |what: String| ConcatError::Usage { what: format!("{}: {what}", piece.file) };
    let d = &piece.dataset;
    let is_time = |i: usize| {
        let stored = d.var.column("channel").and_then(|c| c.text(i)).or_else(|| d.var.index.get(i));
        stored.is_some_and(|n| n.trim().eq_ignore_ascii_case("time"))
    };
    let mut found = (0..d.n_vars()).filter(|i| is_time(*i));
    let (Some(column), None) = (found.next(), found.next()) else {
        let n = (0..d.n_vars()).filter(|i| is_time(*i)).count();
        return Err(usage(format!(
            "{n} channels are called Time, one was expected; leave --continuous-time out"
        )));
    };
    let logarithmic = amplifiers(&d.var).is_ok_and(|all| all.get(column).is_some_and(|a| a.decades > 0.0));
    if logarithmic {
        return Err(usage("its channel Time is logarithmic; leave --continuous-time out".into()));
    }
    let keyword = d.source.keywords.iter().rfind(is_step);
    let step = keyword.and_then(|(_, v)| v.trim().parse().ok()).filter(|s: &f64| s.is_finite() && *s > 0.0);
    let mut clock =
        Clock { column, step, low: f64::INFINITY, high: f64::NEG_INFINITY, whole: true, events: d.n_obs() };
    let Some(x) = &d.x else { return Err(usage("X is absent".into())) };
    x.columns(&[column], &mut |_, block| {
        for v in block.into_iter().filter(|v| v.is_finite()) {
            (clock.low, clock.high) = (clock.low.min(v), clock.high.max(v));
            clock.whole &= v.fract() == 0.0;
        }
        Ok(())
    })
    .map_err(fail(&piece.file))?;
    if clock.high < clock.low {
        // Without events there is no time that goes on.
        clock.events = 0;
        (clock.low, clock.high) = (0.0, 0.0);
    }
    Ok(clock)
}

/// Shifts the time of a file, which ends at `end` then. Whole numbers stay so where they can.
fn shift(
    piece: &mut Piece,
    clock: &Clock,
    (scale, add): (f64, f64),
    end: f64,
    changes: &mut Changes,
) -> Result<(), ConcatError> {
    let dtype = piece.dataset.x.as_ref().map_or(DType::F64, Matrix::dtype);
    let unsigned = matches!(dtype, DType::U8 | DType::U16 | DType::U32);
    let whole = unsigned && scale == 1.0 && add.fract() == 0.0 && end <= f64::from(u32::MAX);
    // Singles count exactly so far.
    let single =
        dtype == DType::F32 && clock.whole && scale == 1.0 && add.fract() == 0.0 && end <= 16_777_216.0;
    if !whole {
        // Only whole numbers are read by their amplifiers.
        make_linear(piece, changes)?;
    }
    let Some(base) = piece.dataset.x.take() else { return Ok(()) };
    let dtype = match () {
        () if whole => DType::U32,
        () if single => DType::F32,
        () => DType::F64,
    };
    piece.dataset.x = Some(base.mapped(dtype, vec![clock.column], move |_, x| x * scale + add));
    grow(&mut piece.dataset.var, clock.column, end);
    Ok(())
}

/// The range of a channel, where it is known, holds its values.
fn grow(var: &mut Frame, column: usize, end: f64) {
    let Some(old) = var.column("pnr") else { return };
    let range = |i: usize| old.text(i).and_then(|t| t.parse().ok()).unwrap_or(f64::NAN);
    let new = |i: usize| if i == column && range(i) <= end { end.floor() + 1.0 } else { range(i) };
    let all = (0..var.len()).map(new).collect();
    var.set("pnr", Column::Numbers(Values::F64(all)));
}

/// Every file gets the beginning of the first and the end of the last, so that they are the same in all.
fn one_beginning_and_end(pieces: &mut [Piece]) {
    for (keys, from) in [(BEGIN, 0), (END, pieces.len().saturating_sub(1))] {
        for key in keys {
            let is = |(k, _): &&(String, String)| k.eq_ignore_ascii_case(key);
            let value = pieces.get(from).and_then(|p| p.dataset.source.keywords.iter().find(is)).cloned();
            for piece in pieces.iter_mut() {
                let own = &mut piece.dataset.source.keywords;
                own.retain(|pair| !is(&pair));
                own.extend(value.clone());
            }
        }
    }
}
