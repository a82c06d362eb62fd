//! Streams of blocks, from what each row's symbols are.

use crate::codec::atom_sums::atom_sum;
use crate::codec::context::{Decoded, LANES};
use crate::codec::near::{Near, Wanted};
use crate::codec::neighbourhood::Neighbourhood;
use crate::codec::order::Order;
use crate::codec::program::Program;
use crate::codec::quantisers::second_quantiser;
use crate::codec::weights::Weights;
use crate::codec::window::Window;
use crate::container::model::{FEATURES, ModelRecord};
use crate::container::parts;
use crate::entropy::rans::RansEncoder;
use crate::matrix::DType;

/// What a row's stream says, symbol by symbol.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) class: usize,
    /// Which of the model's predictors the row has, if rows name one.
    pub(super) predictor: usize,
    pub(super) latents: Vec<i64>,
    pub(super) residuals: Vec<i64>,
    /// Which atom each value is, 0 for none; empty where none is.
    pub(super) atoms: Vec<u8>,
}

/// Codes the stream of `rows`, each symbol in the table that the format asks for, as a single part.
pub(super) fn stream(record: &ModelRecord, dtype: DType, rows: &[Row]) -> Vec<u8> {
    match record.neighbours {
        Some(_) => part(record, dtype, rows),
        None => stream_in_parts(record, dtype, rows, rows.len()),
    }
}

/// The same in parts of so many rows.
pub(super) fn stream_in_parts(
    record: &ModelRecord,
    dtype: DType,
    rows: &[Row],
    part_rows: usize,
) -> Vec<u8> {
    let streams: Vec<Vec<u8>> =
        rows.chunks(part_rows).map(|rows| part(record, dtype, rows)).collect();
    parts::encode(&streams, part_rows)
}

/// Codes rows that are a part.
fn part(record: &ModelRecord, dtype: DType, rows: &[Row]) -> Vec<u8> {
    let p = Program::new(record.clone(), dtype).unwrap();
    let mut coder = match p.neighbours {
        Some(_) => RansEncoder::in_lanes(rows.len(), 0),
        None => RansEncoder::default(),
    };
    let mut last = 0;
    let mut head = |row: &Row, coder: &mut RansEncoder| {
        say_head(&p, last, row, coder);
        last = row.class.min(p.record.classes.count - 1);
    };
    match &p.neighbours {
        Some(n) => {
            let mut window = n.window();
            let cells: Vec<Vec<Cell>> =
                rows.iter().map(|row| row_cells(&p, n, &mut window, row)).collect();
            let width = p.record.width();
            let order = Order { rows: rows.len(), width, delay: n.delay(LANES) };
            for step in order.steps() {
                for row in order.heads(step) {
                    coder.set_lane(row % LANES);
                    head(&rows[row], &mut coder);
                }
                let cells = order.cells(step).map(|(row, j)| (row % LANES, &cells[row][j]));
                say_step(&p, cells, &mut coder);
            }
        }
        None => {
            for row in rows {
                head(row, &mut coder);
                say_residuals(&p, row, &mut coder);
            }
        }
    }
    let mut out = Vec::new();
    coder.finish(&mut out);
    out
}

fn say(p: &Program, table: usize, number: i64, coder: &mut RansEncoder) {
    assert!(p.tables[table].encode(number, coder), "{:?}, {number}", p.record.tables.get(table));
}

/// Codes a row's class, where the one before was `last`, and its latents.
fn say_head(p: &Program, last: usize, row: &Row, coder: &mut RansEncoder) {
    let m = &p.record;
    let (latents, sets) = (m.latents(), m.table_sets());
    if m.classes.count > 1 {
        say(p, m.classes.next[last], row.class as i64, coder);
        coder.end_symbols();
    }
    if let Some(table) = p.neighbours.as_ref().and_then(|n| n.coefficients.by_row.as_ref()?.table())
    {
        say(p, table, row.predictor as i64, coder);
    }
    let class = row.class.min(m.classes.count - 1);
    assert_eq!(row.latents.len(), latents);
    let mut state = 0_u8;
    for (k, &s) in row.latents.iter().enumerate() {
        let second = m.trellis > 0 && second_quantiser(state, m.trellis);
        let at = (class * latents + k) * sets + usize::from(second);
        say(p, m.classes.latent_tables[at], s, coder);
        coder.end_symbols();
        if let Some(next) = p.trellis() {
            state = next[usize::from(state)][(s & 1) as usize];
        }
    }
}

fn say_residuals(p: &Program, row: &Row, coder: &mut RansEncoder) {
    let (m, width) = (&p.record, p.record.width());
    let class = row.class.min(m.classes.count - 1);
    if m.classes.quantum[class] < 0 {
        return;
    }
    assert_eq!(row.residuals.len(), width);
    for (j, &r) in row.residuals.iter().enumerate() {
        if !p.silent[class][j] {
            say(p, m.classes.residual_tables[class * width + j], r, coder);
        }
    }
}

/// Codes the values of a step, each with its lane: first all atoms, then all residuals.
fn say_step<'a>(
    p: &Program,
    cells: impl Iterator<Item = (usize, &'a Cell)> + Clone,
    coder: &mut RansEncoder,
) {
    for symbol in [|cell: &Cell| cell.atom, |cell: &Cell| cell.residual] {
        for (lane, cell) in cells.clone() {
            if let Some((table, number)) = symbol(cell) {
                coder.set_lane(lane);
                say(p, table, number, coder);
            }
        }
        coder.end_symbols();
    }
}

/// Tables and numbers of a value's symbols, and by which properties its tables were chosen.
pub(super) struct Cell {
    pub(super) atom: Option<(usize, i64)>,
    pub(super) residual: Option<(usize, i64)>,
    pub(super) sum: i64,
    pub(super) features: [i32; FEATURES],
}

/// Finds the symbols of a row, the next of the window, value by value.
pub(super) fn row_cells(
    p: &Program,
    n: &Neighbourhood,
    window: &mut Window<i64, 1>,
    row: &Row,
) -> Vec<Cell> {
    let width = p.record.width();
    let mut out = Vec::with_capacity(width);
    let mut weights = Weights::new(&n.coefficients);
    weights.name(0, row.predictor.min(n.coefficients.by_row.as_ref().map_or(0, |p| p.count() - 1)));
    for j in 0..width {
        weights.follow(&n.coefficients, window.front());
        let (cell, decoded) = cell(p, (n, &weights), window, row, j);
        window.set_one(decoded);
        window.advance();
        out.push(cell);
    }
    out
}

fn cell(
    p: &Program,
    (n, weights): (&Neighbourhood, &Weights<1>),
    window: &Window<i64, 1>,
    row: &Row,
    j: usize,
) -> (Cell, Decoded) {
    let m = &p.record;
    let class = row.class.min(m.classes.count - 1);
    let quantum = m.classes.quantum[class];
    let near = Near::of(window, &n.surroundings, Wanted::ALL.or(n.wanted));
    let fraction = p.steps[j].trailing_zeros();
    let predicted = n.predict(window, &near, weights, [fraction]);
    let all = near.features(window.front(), &n.surroundings, &predicted, [fraction]);
    let features = all.map(|f| f[0]);
    let decided = n.decide(&all);
    let mut decoded = Decoded { sum: predicted[0], residual: 0, atom: 0 };
    let mut cell = Cell { atom: None, residual: None, sum: 0, features };
    if quantum >= 0 {
        let atom = row.atoms.get(j).copied().unwrap_or(0);
        if !n.atoms.is_empty() {
            cell.atom = Some((n.atom_table(decided.atom_leaf(0)), i64::from(atom)));
        }
        // An atom that is not there says no residual either.
        match n.atoms.get(usize::from(atom).wrapping_sub(1)) {
            Some(&k) if m.latents() == 0 => {
                decoded.sum = atom_sum(k, m.base[j], &m.grids[m.grid_of[j]]);
            }
            Some(_) => {}
            None if atom > 0 => {}
            None => {
                let own = || m.classes.residual_tables[class * m.width() + j];
                let (table, r) = (n.table(decided.leaf(0), own), row.residuals[j]);
                cell.residual = Some((table, r));
                let step = if quantum == 0 { p.steps[j] } else { quantum };
                decoded.residual = r;
                decoded.sum = predicted[0].wrapping_add(r.wrapping_mul(step));
            }
        }
        decoded.atom = atom.min(n.atoms.len() as u8);
    }
    cell.sum = decoded.sum;
    (cell, decoded)
}
