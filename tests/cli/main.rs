//! What the program promises its user, tried on the program itself.

mod anomalies;
mod append;
mod arguments;
mod damage;
mod dataset;
mod files;
mod kinds;
mod network;
mod pipes;
mod roundtrip;
mod safety;
mod support;
mod text;
mod uses;
mod verify;
