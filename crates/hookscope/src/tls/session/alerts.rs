//! Alerts in the clear -> what a session remembers of them.

use crate::packet::Moment;
use crate::side::Side;
use crate::tls::codes::AlertDescription;
use crate::tls::session::{Alert, Application, Session};

impl Session {
    /// More alerts of one connection say nothing new.
    pub(super) const MAX_ALERTS: usize = 16;

    /// Alerts in the clear.
    pub(crate) fn alerts(&self) -> &[Alert] {
        self.rare.as_ref().map_or(&[], |rare| &rare.alerts)
    }

    /// Takes octets of an alert.
    pub(super) fn alert_octets(&mut self, side: Side, bytes: &[u8]) {
        for byte in bytes {
            let slots = &mut self.rare().alert[side];
            if let Some(slot) = slots.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(*byte);
            }
        }
    }

    /// An alert's record is complete.
    pub(super) fn alert(&mut self, side: Side, at: Moment, sink: &mut impl FnMut(Side, Application, Moment)) {
        let [Some(level), Some(description)] = std::mem::take(&mut self.rare().alert[side]) else { return };
        let description = AlertDescription(description);
        let is_fatal = level == 2 && description != AlertDescription::CLOSE_NOTIFY
            || self.is_13() && description.is_error();
        let alerts = &mut self.rare().alerts;
        if alerts.len() < Self::MAX_ALERTS {
            alerts.push(Alert { by: side, at, is_fatal, description });
        }
        if is_fatal || description == AlertDescription::CLOSE_NOTIFY {
            self.close(side, at, sink);
        }
    }
}
