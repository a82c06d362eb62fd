//! Rows whose residuals depend on their neighbours, decoded side by side where none depends on the
//! row before.

use super::context::{Decoded, LANES, Window};
use super::neighbourhood::{Neighbourhood, atom_sum};
use super::program::Program;
use crate::entropy::rans::RansDecoder;
use crate::kernels::wide::{WideLoop, run_wide};

/// Windows of a row at a time, or of [`LANES`].
#[derive(Debug)]
enum Windows {
    One(Window<1>),
    Many(Window<LANES>),
}

/// Rows that were decoded together and are handed out one by one.
#[derive(Debug)]
pub(super) struct Group {
    windows: Windows,
    /// Rows of the block that are still to be decoded.
    left: usize,
    /// Rows of the present group, and how many of them were handed out.
    rows: usize,
    next: usize,
    /// Latents of the group's rows.
    pub(super) latents: Vec<i32>,
    /// Classes of the group's rows.
    pub(super) classes: [usize; LANES],
    /// Whether an atom was named that is not there.
    pub(super) stray: bool,
}

impl Group {
    /// Begins a block of `rows` rows.
    pub(super) fn new(program: &Program, rows: usize) -> Option<Box<Self>> {
        let n = program.neighbours.as_ref()?;
        let width = program.record.width();
        let windows = match n.looks_back {
            // The order of symbols is the same, and no row is before it.
            _ if rows <= 1 => Windows::One(Window::new(width, false)),
            true => Windows::One(n.window(width)),
            false => Windows::Many(n.window(width)),
        };
        let (latents, classes) = (Vec::new(), [0; LANES]);
        Some(Box::new(Self {
            windows,
            left: rows,
            rows: 0,
            next: 0,
            latents,
            classes,
            stray: false,
        }))
    }

    /// Returns the bytes that a block of `rows` rows takes for each column.
    pub(super) fn bytes(n: &Neighbourhood, rows: usize) -> u64 {
        (match n.looks_back {
            _ if rows <= 1 => Window::<1>::bytes(false),
            true => Window::<1>::bytes(true),
            false => Window::<LANES>::bytes(false),
        }) as u64
    }

    /// Returns how many rows are decoded together from here on; 0 where some are still to be handed
    /// out.
    pub(super) fn begin(&mut self) -> usize {
        if self.next < self.rows {
            return 0;
        }
        let most = match self.windows {
            Windows::One(_) => 1,
            Windows::Many(_) => LANES,
        };
        self.rows = self.left.min(most);
        self.left -= self.rows;
        self.next = 0;
        self.latents.clear();
        self.rows
    }

    /// Reads the residuals of the group's rows.
    pub(super) fn read(&mut self, program: &Program, coder: &mut RansDecoder<'_>) {
        let Some(n) = &program.neighbours else { return };
        let rows = self.rows;
        match &mut self.windows {
            Windows::One(window) => {
                let classes = [self.classes[0]];
                let read = ReadRows { program, n, window, rows, classes, coder };
                self.stray |= run_wide(read);
            }
            Windows::Many(window) => {
                let read = ReadRows { program, n, window, rows, classes: self.classes, coder };
                self.stray |= run_wide(read);
            }
        }
    }

    /// Hands out the next row: its residuals' sums, and where `atoms` has room, which atoms its values
    /// are. Returns which row of the group it is.
    pub(super) fn take(&mut self, sums: &mut [i64], atoms: &mut [u8]) -> usize {
        let row = self.next;
        self.next += 1;
        match &self.windows {
            Windows::One(window) => {
                window.copy_sums(0, sums);
                window.copy_atoms(0, atoms);
            }
            Windows::Many(window) => {
                window.copy_sums(row, sums);
                window.copy_atoms(row, atoms);
            }
        }
        row
    }
}

/// The loop over the columns of up to `N` rows.
struct ReadRows<'a, 'c, 'b, const N: usize> {
    program: &'a Program,
    n: &'a Neighbourhood,
    window: &'a mut Window<N>,
    rows: usize,
    classes: [usize; N],
    coder: &'c mut RansDecoder<'b>,
}

impl<const N: usize> WideLoop for ReadRows<'_, '_, '_, N> {
    /// Whether an atom was named that is not there.
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Self { program: p, n, window, rows, classes, coder } = self;
        let m = &p.record;
        let width = m.width();
        let mut stray = false;
        window.begin_row();
        let quanta = classes.map(|c| m.classes.quantum[c]);
        for spot in n.spots(width) {
            let j = spot.column;
            let fraction = p.steps[j].trailing_zeros();
            let near = n.directions.near(window, spot);
            let predicted = n.predict(&near, j, fraction);
            let features = n.features(&near, spot, (&predicted, fraction));
            let mut atoms = [0_u8; N];
            if !n.atoms.is_empty() {
                let leaves = n.atom_tree.leaves(&features);
                for i in 0..rows.min(N) {
                    if quanta[i] >= 0 {
                        let atom = p.tables[n.atom_table(leaves[i])].decode(coder);
                        stray |= !(0..=n.atoms.len() as i64).contains(&atom);
                        atoms[i] = atom.clamp(0, n.atoms.len() as i64) as u8;
                    }
                }
            }
            let leaves = n.tree.leaves(&features);
            for i in 0..rows.min(N) {
                let mut cell = Decoded { sum: predicted[i], residual: 0, atom: atoms[i] };
                if atoms[i] > 0 {
                    if m.latents() == 0 {
                        let grid = &m.grids[m.grid_of[j]];
                        let k = n.atoms[usize::from(atoms[i]) - 1];
                        cell.sum = atom_sum(k, m.base[j], grid);
                    }
                } else if quanta[i] >= 0 {
                    let own = m.classes.residual_tables[classes[i] * width + j];
                    cell.residual = p.tables[n.table(leaves[i], own)].decode(coder);
                    let step = if quanta[i] == 0 { p.steps[j] } else { quanta[i] };
                    cell.sum = predicted[i].wrapping_add(cell.residual.wrapping_mul(step));
                }
                window.set(i, j, cell);
            }
        }
        stray
    }
}
