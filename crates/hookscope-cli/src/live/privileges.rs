//! Gives up what only opening an interface needs: root, groups, all capabilities, and ways to get them back.
//!
//! Capabilities belong to threads: this is done while there is but one.

use caps::CapSet;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, User, setgid, setgroups, setuid};

use crate::failure::Failure;

/// Whom to be, where root starts us and nobody says otherwise.
const NOBODY: &str = "nobody";

/// Becomes `user`, or nobody where root started us, without any capability. Says whom we are now.
pub(super) fn give_up(user: Option<&str>) -> Result<String, Failure> {
    let refused = |what: &str, error: &dyn std::fmt::Display| Failure::Privileges(format!("{what}: {error}"));
    let is_root = Uid::effective().is_root();
    if is_root || user.is_some() {
        let name = user.unwrap_or(NOBODY);
        let found = User::from_name(name).map_err(|error| refused(name, &error))?;
        let (uid, gid) = match found {
            Some(user) => (user.uid, user.gid),
            // In an image without /etc/passwd.
            None if name == NOBODY => (Uid::from_raw(65_534), Gid::from_raw(65_534)),
            None => {
                return Err(Failure::Privileges(format!(
                    "there is no user '{name}'; choose another with --user"
                )));
            }
        };
        // Nothing can be taken from this set once the others are empty.
        if let Err(error) = caps::clear(None, CapSet::Bounding)
            && is_root
            && has_setpcap()
        {
            return Err(refused("capability bounding set", &error));
        }
        match become_user(uid, gid) {
            Ok(()) => {}
            // A container's root that may not change its user: what it may do beyond that is given up all the same.
            Err(Errno::EPERM) if user.is_none() => {}
            Err(error) => return Err(refused(&format!("cannot become user '{name}'"), &error)),
        }
    }
    for set in [CapSet::Ambient, CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(|error| refused("capabilities", &error))?;
    }
    prctl::set_no_new_privs().map_err(|error| refused("no_new_privs", &error))?;
    let uid = Uid::effective();
    let name = User::from_uid(uid).ok().flatten().map(|user| user.name);
    Ok(name.unwrap_or_else(|| format!("user {uid}")))
}

fn has_setpcap() -> bool {
    caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false)
}

fn become_user(uid: Uid, gid: Gid) -> Result<(), Errno> {
    setgroups(&[gid])?;
    setgid(gid)?;
    setuid(uid)
}
