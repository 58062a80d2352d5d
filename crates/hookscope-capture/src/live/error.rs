//! Turns what keeps an interface from being captured from into a message: which, what is wrong, what to do.

use crate::error::Fault;

/// Why a capture cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// There is no interface of that name.
    #[error("{name}: no such interface; there are {known}")]
    NoSuchInterface {
        /// The name as given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The interface is there, and down.
    #[error("{name}: the interface is down; bring it up (ip link set {name} up), or wait for it with --wait")]
    Down {
        /// The interface.
        name: String,
    },
    /// The user may not capture.
    #[error(
        "{name}: no permission to capture: run as root, or give the program the capability: \
         setcap cap_net_raw+ep $(command -v hookscope)"
    )]
    PermissionDenied {
        /// The interface.
        name: String,
    },
    /// The interface's packets begin with something that the engine does not decode.
    #[error("{name}: its link type {link_type} is not supported; capture on 'any' instead")]
    LinkType {
        /// The interface.
        name: String,
        /// The number that libpcap has for it.
        link_type: i32,
    },
    /// The filter is none.
    #[error("{message}")]
    Filter {
        /// What libpcap says.
        message: String,
        /// The filter.
        filter: String,
        /// A caret under the word that is wrong.
        caret: String,
    },
    /// The interface went down.
    #[error("{name} went down, and the capture ends; --wait waits until it is up again")]
    WentDown {
        /// The interface.
        name: String,
    },
    /// The interface does not exist any more.
    #[error("{name} is gone, and the capture ends; capture on 'any' where interfaces come and go")]
    Gone {
        /// The interface.
        name: String,
    },
    /// Anything else that libpcap or the system says.
    #[error("{name}: {message}")]
    Other {
        /// The interface.
        name: String,
        /// What was said.
        message: String,
    },
}

impl LiveError {
    /// Who can mend it.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NoSuchInterface { .. }
            | Self::PermissionDenied { .. }
            | Self::LinkType { .. }
            | Self::Filter { .. } => Fault::Caller,
            Self::Down { .. } | Self::WentDown { .. } | Self::Gone { .. } | Self::Other { .. } => {
                Fault::System
            }
        }
    }

    /// Whether the interface may be there and up later.
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NoSuchInterface { .. } | Self::Down { .. } | Self::WentDown { .. } | Self::Gone { .. }
        )
    }
}
