//! What DATA looks like, worked out from HEADER and TEXT and checked against the length of the file.

use std::path::Path;

use super::channel::{Channel, Stored, channels, dtype};
use super::header::{Header, Version};
use super::offsets::{Segment, place};
use super::order::ByteOrder;
use super::packing::{Fit, Packing};
use super::text::Keywords;
use crate::data::DType;
use crate::io::error::ReadError;
use crate::io::options::FcsOffsets;

/// The shape of DATA.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// First byte of DATA in the file.
    pub(super) begin: u64,
    /// Bytes of DATA.
    pub(super) len: u64,
    /// Number of events; of free text without `$TOT` known only once it is counted.
    pub(super) n_events: Option<u64>,
    /// Order of bytes in a value.
    pub(super) order: ByteOrder,
    /// How values lie beside each other.
    pub(super) packing: Packing,
    /// Element type in memory.
    pub(super) dtype: DType,
    /// Parameters, in order.
    pub(super) channels: Vec<Channel>,
}

impl Layout {
    /// Works out the layout of the data set that begins at byte `base` and checks that the file is long enough for it.
    pub(super) fn new(
        path: &Path,
        header: &Header,
        keywords: &Keywords,
        (base, file_len): (u64, u64),
        offsets: FcsOffsets,
    ) -> Result<Self, ReadError> {
        check_mode(path, header.version, keywords)?;
        let channels = channels(path, keywords)?;
        let text = channels.iter().filter(|c| matches!(c.stored, Stored::Digits(_))).count();
        if text > 0 && text < channels.len() {
            return Err(ReadError::unsupported(path, "channels of text ($DATATYPE A) beside binary ones"));
        }
        let order = if text > 0 { ByteOrder::Little } else { ByteOrder::parse(path, keywords)? };
        let tot = keywords.integer(path, "$TOT")?;
        if tot.is_none() && header.version > Version::V2_0 {
            keywords.required(path, "$TOT")?;
        }
        let dtype = dtype(&channels);
        let mut layout =
            Self { begin: 0, len: 0, n_events: tot, order, packing: Packing::Bytes, dtype, channels };
        let candidates = layout.packings();
        if tot == Some(0) {
            layout.packing = candidates[0];
            return Ok(layout);
        }
        let sizes = |n: Option<u64>, len: u64| layout.fit(&candidates, n, len);
        let segment: Segment =
            place(path, header, keywords, offsets, tot, (file_len.saturating_sub(base), &sizes))?;
        layout.packing = segment.packing;
        layout.n_events = segment.n_events;
        layout.len = segment.len;
        layout.begin = base.saturating_add(segment.begin);
        let promised = layout.begin.checked_add(layout.len);
        if promised.is_none_or(|n| n > file_len) {
            return Err(ReadError::malformed(
                path,
                "DATA",
                format!(
                    "truncated: header promises {} bytes, file has {file_len}; get a complete copy",
                    promised.map_or_else(|| "more than 2^64".into(), |n| n.to_string())
                ),
            ));
        }
        layout.check_order(path)?;
        if layout.packing == Packing::Words {
            tracing::warn!(
                "{}: $PnB is no multiple of 8 but values take whole words, as in LMD files; read so, since DATA is \
                 exactly that long",
                path.display()
            );
        }
        Ok(layout)
    }

    /// How values could lie, likeliest first.
    fn packings(&self) -> Vec<Packing> {
        let whole = self.channels.iter().all(|c| c.stored.bits().is_multiple_of(8));
        match self.channels.first().map(|c| c.stored) {
            Some(Stored::Digits(_)) => {
                let free = self.channels.iter().any(|c| c.stored == Stored::Digits(None));
                vec![if free { Packing::FreeText } else { Packing::Digits }]
            }
            _ if whole => vec![Packing::Bytes],
            _ => vec![Packing::Bits, Packing::EventBits, Packing::Words],
        }
    }

    /// Bytes a value of `channel` takes where values take whole bytes.
    pub(super) fn width(&self, packing: Packing, channel: &Channel) -> usize {
        let bytes = channel.stored.bits().div_ceil(8) as usize;
        if packing == Packing::Words { bytes.next_power_of_two() } else { bytes }
    }

    /// Bits of one event.
    fn bits(&self, packing: Packing) -> u64 {
        let of = |c: &Channel| match packing {
            Packing::Bits | Packing::EventBits => c.stored.bits(),
            _ => 8 * self.width(packing, c) as u64,
        };
        let bits: u64 = self.channels.iter().map(of).sum();
        if packing == Packing::EventBits { bits.next_multiple_of(8) } else { bits }
    }

    /// Bits of one event as it lies in the file.
    pub(super) fn event_bits(&self) -> u64 {
        self.bits(self.packing)
    }

    /// The packing in which `n` events (or some number of whole events) take exactly `len` bytes, and that number.
    fn fit(&self, packings: &[Packing], n: Option<u64>, len: u64) -> Fit {
        let mut fit = Fit { asked: None, found: None };
        for &packing in packings {
            if packing == Packing::FreeText {
                // Only counting tells.
                return Fit { asked: None, found: Some((packing, n)) };
            }
            let bits = self.bits(packing);
            let events =
                n.unwrap_or_else(|| u64::try_from(u128::from(len) * 8 / u128::from(bits)).unwrap_or(0));
            let asked = (u128::from(events) * u128::from(bits)).div_ceil(8);
            fit.asked = fit.asked.or(Some(asked));
            if asked == u128::from(len) && (events > 0 || len == 0) {
                fit.found = Some((packing, Some(events)));
                return fit;
            }
        }
        fit
    }

    /// Checks that `$BYTEORD` says how values of every width lie.
    fn check_order(&self, path: &Path) -> Result<(), ReadError> {
        let ByteOrder::Mixed(order) = &self.order else { return Ok(()) };
        let stated: Vec<String> = order.iter().map(|n| (n + 1).to_string()).collect();
        let odd = match self.packing {
            Packing::Bits | Packing::EventBits => Some(0),
            _ => {
                let mut widths = self.channels.iter().map(|c| self.width(self.packing, c));
                widths.find(|w| self.order.significance(*w).is_none())
            }
        };
        match odd {
            None => Ok(()),
            Some(0) => Err(ReadError::unsupported(
                path,
                format!("values packed across bytes in the byte order {}", stated.join(",")),
            )),
            Some(width) => Err(ReadError::unsupported(
                path,
                format!("$BYTEORD {} does not say how values of {width} bytes lie", stated.join(",")),
            )),
        }
    }
}

/// Refuses histograms.
fn check_mode(path: &Path, version: Version, keywords: &Keywords) -> Result<(), ReadError> {
    match keywords.trimmed("$MODE") {
        None if version < Version::V3_2 => {
            tracing::warn!("{}: $MODE is missing; list mode is assumed", path.display());
        }
        Some(mode) if !mode.eq_ignore_ascii_case("L") => {
            return Err(ReadError::unsupported(
                path,
                format!(
                    "$MODE {mode} (histograms); only list mode L is read, export it as list-mode FCS 3.1 with \
                     float data"
                ),
            ));
        }
        _ => {}
    }
    Ok(())
}
