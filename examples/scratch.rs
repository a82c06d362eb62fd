fn main() {
    let a: Vec<String> = std::env::args().collect();
    let rows = aezip::input::open(&a[1], &Default::default()).unwrap();
    let out = aezip::scratch(&*rows, a[2].parse().unwrap(), a[3].parse().unwrap()).unwrap();
    println!("{} {} {}", a[1], a[2], out.len());
}
