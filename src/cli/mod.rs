//! The program: [`commands`], one file each with its `Args` and its `run`; [`args`], what several
//! commands are told in the same words; [`io`], where they read and write and what they say.
//!
//! Every command goes the same way: arguments as typed → checked arguments → work.

pub(crate) mod args;
pub(crate) mod commands;
pub(crate) mod io;
