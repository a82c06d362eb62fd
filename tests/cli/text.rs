//! Tables of text: what they hold comes back as the text that it was.

use crate::support::Folder;
use std::path::Path;

/// A folder with a file.
fn with(name: &str, text: impl AsRef<[u8]>) -> Folder {
    let folder = Folder::new();
    folder.write(name, text);
    folder
}

/// Compresses `name`, brings it back under its own name, and returns what came.
fn there_and_back(folder: &Folder, name: &str, args: &[&str]) -> String {
    folder.ok(&[&["compress", name, "-1", "-o", "a.aez", "-f"], args].concat());
    folder.ok(&["decompress", "a.aez", "-f", "-o", &back(name)]);
    String::from_utf8(folder.read(&back(name))).unwrap()
}

/// A name with the same extension.
fn back(name: &str) -> String {
    match Path::new(name).extension() {
        Some(extension) => format!("back.{}", extension.to_string_lossy()),
        None => "back".to_string(),
    }
}

#[test]
fn a_header_of_wavelengths_is_no_row() {
    let names: Vec<String> = (400..460).step_by(10).map(|n| n.to_string()).collect();
    let field = |i: u32, j: u32| format!("{:.5}", f64::from((i * 7 + j * j) % 89) / 97.0);
    let row = |i: u32| (0..6).map(|j| field(i, j)).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = (0..80).map(row).collect();
    let text = format!("{}\n{}\n", names.join(","), rows.join("\n"));
    let folder = with("w.csv", &text);
    let said = folder.ok(&["compress", "w.csv", "-1", "--lossless"]).stderr;
    assert!(said.contains("--header no"), "{said}");
    folder.ok(&["decompress", "w.csv.aez", "-o", "b.csv"]);
    assert_eq!(String::from_utf8(folder.read("b.csv")).unwrap(), text);
    let info = folder.ok(&["info", "--json", "w.csv.aez"]).json();
    assert_eq!((info["rows"].as_u64(), info["columns"][0].as_str()), (Some(80), Some("400")));
    folder.ok(&["compress", "w.csv", "-1", "--lossless", "--header", "no", "-f"]);
    assert_eq!(folder.ok(&["info", "--json", "w.csv.aez"]).json()["rows"], 81);
}

#[test]
fn large_integers_come_back_or_are_refused_by_name() {
    let ids: Vec<String> =
        (0..100).map(|i| (1_234_567_890_123_456_780_u64 + i).to_string()).collect();
    let folder = with("i.csv", format!("id\n{}\n", ids.join("\n")));
    let text = there_and_back(&folder, "i.csv", &["--lossless"]);
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ids);
    folder.ok(&["verify", "a.aez", "--against", "i.csv"]);
    let rows: Vec<String> = ids.iter().enumerate().map(|(i, id)| format!("{id},{i}.5")).collect();
    folder.write("m.csv", format!("id,x\n{}\n", rows.join("\n")));
    let error = folder.fails(1, &["anomalies", "m.csv", "-o", "n.csv"]);
    assert!(error.contains("\"id\"") && error.contains("--columns 'x'"), "{error}");
    folder.ok(&["compress", "m.csv", "-1", "--lossless", "--columns", "id"]);
    folder.ok(&["verify", "m.csv.aez", "--against", "m.csv"]);
}

#[test]
fn text_of_any_name_comes_back_as_it_was() {
    let lines: Vec<String> =
        (0..50).map(|i| format!("{i}\t{:.3}", f64::from(i * i) / 7.0)).collect();
    let text = format!("t\tv\n{}\n", lines.join("\n"));
    for name in ["s.txt", "s.dat", "s.data", "s.tsv", "series"] {
        let folder = with(name, &text);
        assert_eq!(there_and_back(&folder, name, &["--lossless"]), text, "{name}");
    }
    let folder = with("s.txt", &text);
    let piped = ["compress", "-", "-1", "--lossless", "-o", "p.aez"];
    assert_eq!(folder.run_with(&piped, text.as_bytes()).code, Some(0));
    assert_eq!(folder.ok(&["decompress", "p.aez", "-o", "-"]).text(), text);
    let german = text.replace('.', ",").replace('\t', ";").replace('\n', "\r\n");
    folder.write("g.csv", &german);
    assert_eq!(there_and_back(&folder, "g.csv", &["--lossless"]), german);
}

#[test]
fn text_has_as_few_digits_as_the_promise_allows() {
    let value = |i: u32| f64::from(i * i % 7919) / 1e3;
    let lines: Vec<String> =
        (0..900).map(|i| format!("{:.3},{:.3}", value(i), value(3 * i))).collect();
    let text = format!("a,b\n{}\n", lines.join("\n"));
    let folder = with("t.csv", &text);
    for promise in [&["--max-error", "0.01"][..], &["--max-error-rel", "1e-3"], &[]] {
        let back = there_and_back(&folder, "t.csv", promise);
        // At most a digit more than the original's three, where no number of three is surely near.
        assert!(back.len() <= text.len() * 23 / 20, "{} of {}", back.len(), text.len());
    }
    let numbers = |text: &str| -> Vec<f64> {
        text.lines().skip(1).flat_map(|l| l.split(',')).map(|f| f.parse().unwrap()).collect()
    };
    let back = there_and_back(&folder, "t.csv", &["--max-error", "0.01"]);
    let pairs = numbers(&text).into_iter().zip(numbers(&back));
    assert!(pairs.clone().all(|(x, y)| (x - y).abs() <= 0.01));
    assert!(pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max) > 0.005);
}

#[test]
fn tables_of_other_programs_are_read() {
    let folder = Folder::new();
    folder.write("title.csv", "Made by hand, in May\n\nTemp (C);Druck\n1,5;1 000\n2,25;NULL\n");
    let error = folder.fails(1, &["compress", "title.csv", "-o", "x.aez"]);
    assert!(error.contains("--skip 2"), "{error}");
    folder.ok(&["compress", "title.csv", "-1", "--lossless", "--skip", "2"]);
    let back = folder.ok(&["decompress", "title.csv.aez", "-o", "-"]);
    assert_eq!(back.text(), "Temp (C);Druck\n1,5;1000\n2,25;NULL\n");
    folder.write("names.csv", "\"a, b\",\"Temp\n(C)\",x\n1,2,3\n4,5,6\n");
    let columns = ["--columns", r"a\, b,x"];
    folder.ok(&[&["compress", "names.csv", "-1", "--lossless"], &columns[..]].concat());
    let back = folder.ok(&["decompress", "names.csv.aez", "-o", "-"]);
    assert_eq!(back.text(), "\"a, b\",x\n1,3\n4,6\n");
    let error = folder.fails(1, &["compress", "digits.npy", "--header", "no"]);
    assert!(error.contains("digits.npy"), "{error}");
}

/// A table with all that is no number.
fn mixed(rows: u32) -> String {
    let row = |i: u32| {
        let day = 1 + i % 28;
        let station = ["Oslo", "\"Bergen, N\"", "", "\"say \"\"x\"\"\""][i as usize % 4];
        let id = 1_234_567_890_123_456_780_u64 + u64::from(i);
        format!(
            "{station},{:.2},2020-01-{day:02},{id},{},{} %\n",
            f64::from(i * i % 97) / 8.0,
            ["True", "False"][i as usize % 2],
            i % 100
        )
    };
    let rows: String = (0..rows).map(row).collect();
    format!("station,t,date,id,ok,share\n{rows}")
}

#[test]
fn columns_of_text_come_back_at_their_places() {
    let text = mixed(300);
    let folder = with("m.csv", &text);
    let said = folder.ok(&["compress", "m.csv", "-1", "--lossless"]).stderr;
    assert!(said.contains("columns station, date, id, ok, share are kept as text: "), "{said}");
    folder.ok(&["decompress", "m.csv.aez", "-o", "b.csv"]);
    assert_eq!(String::from_utf8(folder.read("b.csv")).unwrap(), text);
    folder.ok(&["decompress", "m.csv.aez", "--rows", "7..9", "-o", "part.csv"]);
    let lines: Vec<&str> = text.lines().collect();
    let part = String::from_utf8(folder.read("part.csv")).unwrap();
    assert_eq!(part.lines().collect::<Vec<_>>(), [lines[0], lines[8], lines[9]]);
    let said = folder.ok(&["decompress", "m.csv.aez", "-o", "m.npy"]).stderr;
    assert!(said.contains("left out of npy"), "{said}");
    for promise in ["--max-error=0.1", "--nmse=0.01", "--max-error-rel=0.01"] {
        folder.ok(&["compress", "m.csv", "-1", promise, "-o", "l.aez", "-f"]);
        folder.ok(&["verify", "l.aez", "--against", "m.csv"]);
    }
}

#[test]
fn text_that_differs_is_no_promise_held() {
    let text = mixed(80);
    let folder = with("m.csv", &text);
    folder.ok(&["compress", "m.csv", "-1", "--lossless"]);
    folder.ok(&["verify", "m.csv.aez", "--against", "m.csv"]);
    folder.write("n.csv", text.replacen("Oslo,0.12", "0slo,0.12", 1).replacen("True", "true", 1));
    let ran = folder.run(&["verify", "m.csv.aez", "--against", "n.csv"]);
    assert_eq!(ran.code, Some(3));
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(said.contains("\"ok\": \"True\" here, \"true\" in the original"), "{said}");
}

#[test]
fn text_without_names_comes_back_and_impute_leaves_it() {
    let rows: String = (0..90).map(|i| format!("s{};{};#{i}\n", i % 3, i * 7 % 11)).collect();
    let folder = with("m.csv", &rows);
    folder.ok(&["compress", "m.csv", "-1", "--lossless"]);
    folder.ok(&["decompress", "m.csv.aez", "-o", "b.csv"]);
    assert_eq!(String::from_utf8(folder.read("b.csv")).unwrap(), rows);
    let gaps = mixed(100).replace(",0.12,", ",NA,");
    folder.write("g.csv", &gaps);
    folder.ok(&["impute", "g.csv", "-o", "f.csv"]);
    let filled = String::from_utf8(folder.read("f.csv")).unwrap();
    assert!(gaps.contains(",NA,") && !filled.contains("NA"));
    assert!(filled.contains("\"Bergen, N\"") && filled.lines().count() == 101, "{filled}");
}

#[test]
fn a_table_of_words_alone_is_refused() {
    let folder = with("w.csv", "a,b\nx,y\nz,w\n");
    let error = folder.fails(1, &["compress", "w.csv"]);
    assert!(error.contains("is not a number"), "{error}");
}

/// A table of two columns, of which the second has `odd` in some row.
fn with_one(odd: &str, usual: impl Fn(u32) -> String) -> String {
    let row = |i: u32| format!("{i},{}\n", if i == 7 { odd.to_string() } else { usual(i) });
    format!("i,x\n{}", (0..90).map(row).collect::<String>())
}

/// Decimals of which none has another value than its `f64` as the shortest decimal.
fn usual(i: u32) -> String {
    format!("{}", f64::from(i * i % 97) / 7.0)
}

#[test]
fn decimals_that_no_f64_holds_come_back_as_they_were() {
    let folder = Folder::new();
    for odd in [
        "0.1234567890123456789",
        "12345678901234567890.5",
        "-98765432109876543210",
        "1.2345678901234567891e-5",
        "0.8000000000000001225",
        "1e400",
        "-1e-400",
        "4e-324",
    ] {
        let text = with_one(odd, usual);
        folder.write("t.csv", &text);
        assert_eq!(there_and_back(&folder, "t.csv", &["--lossless"]), text);
        folder.ok(&["verify", "a.aez", "--against", "t.csv"]);
        let other = text.replace(odd, &odd.replacen(['4', '1'], "3", 1));
        folder.write("o.csv", if odd.contains('4') || odd.contains('1') { other } else { text });
        folder.write("n.csv", with_one("1.5", usual));
        for other in ["o.csv", "n.csv"] {
            let code = folder.run(&["verify", "a.aez", "--against", other]).code;
            assert!(matches!(code, Some(1 | 3)), "{odd}: {other} {code:?}");
        }
    }
    // Beside them, all are numbers.
    folder.write("t.csv", with_one("0.30000000000000004", usual));
    let said = folder.ok(&["compress", "t.csv", "-1", "--lossless"]).stderr;
    assert!(!said.contains("kept as text"), "{said}");
}

#[test]
fn a_table_of_nothing_but_such_decimals_is_refused_with_a_bound_that_helps() {
    let row = |i: u32| format!("0.{}\n", 1_234_567_890_123_456_789_u64 + u64::from(i) * 997);
    let folder = with("t.csv", format!("x\n{}", (0..90).map(row).collect::<String>()));
    let error = folder.fails(1, &["compress", "t.csv", "--lossless"]);
    assert!(error.contains("\"x\" has 0.1234567890123456789, which no f64 holds"), "{error}");
    let bound = error.trim().rsplit(' ').next().unwrap();
    folder.ok(&["compress", "t.csv", "-1", "--max-error", bound]);
    folder.ok(&["verify", "t.csv.aez", "--against", "t.csv"]);
}

#[test]
fn numbers_out_of_range_become_neither_infinite_nor_zero_under_a_bound() {
    let folder = Folder::new();
    for promise in ["--max-error=0.001", "--max-error-rel=0.01", "--nmse=0.001"] {
        for odd in ["1e400", "-2e308"] {
            let text = with_one(odd, usual);
            folder.write("t.csv", &text);
            let back = there_and_back(&folder, "t.csv", &[promise]);
            assert!(back.contains(odd) && !back.contains("inf"), "{promise}: {back}");
            folder.ok(&["verify", "a.aez", "--against", "t.csv"]);
        }
    }
    folder.write("t.csv", with_one("1e400", usual));
    let error = folder.fails(1, &["anomalies", "t.csv", "-o", "n.csv"]);
    assert!(error.contains("\"x\" has 1e400") && error.contains("--columns 'i'"), "{error}");
    // Zero is within any bound of it; but for the bound that is zero itself.
    folder.write("t.csv", with_one("1e-400", usual));
    there_and_back(&folder, "t.csv", &["--max-error", "0.001"]);
    assert!(there_and_back(&folder, "t.csv", &["--max-error", "0"]).contains("1e-400"));
    folder.write("t.csv", with_one("0.1234567890123456789", usual));
    assert!(there_and_back(&folder, "t.csv", &["--max-error", "1e-18"]).contains("3456789"));
}

#[test]
fn f64s_printed_with_more_digits_than_they_need_are_numbers_and_come_back_so() {
    // As C's %.17g, %.18e and %.20f write them.
    let plain = |i: u32| format!("{:.17e}", 1.1 + f64::from(i * i % 97) / 13.0).replace("e0", "");
    let long = |i: u32| format!("{:.18e}", (f64::from(i) - 3.5) / 3e9);
    let fixed = |i: u32| format!("{:.20}", f64::from(i) / 13.0);
    let rows: String =
        (0..90).map(|i| format!("{},{},{}\n", plain(i), long(i), fixed(i))).collect();
    let folder = with("t.csv", &rows);
    let back = there_and_back(&folder, "t.csv", &["--lossless"]);
    folder.ok(&["verify", "a.aez", "--against", "t.csv"]);
    let said = folder.ok(&["compress", "t.csv", "-1", "--lossless", "-f"]).stderr;
    assert!(!said.contains("kept as text"), "{said}");
    // The same digits, but for zeros at their end.
    let digits = |field: &str| {
        let (number, exponent) = field.split_once('e').unwrap_or((field, "0"));
        (number.trim_end_matches('0').to_string(), exponent.to_string())
    };
    let fields =
        |text: &str| -> Vec<_> { text.lines().flat_map(|l| l.split(',')).map(digits).collect() };
    assert_eq!(fields(&back), fields(&rows));
}

#[test]
fn verify_judges_the_digits_that_the_original_has() {
    let folder = with("t.csv", with_one("0.12345678901234568", usual));
    folder.ok(&["compress", "t.csv", "-1", "--lossless"]);
    folder.ok(&["verify", "t.csv.aez", "--against", "t.csv"]);
    for odd in ["0.1234567890123456789", "0.12345678901234567654321"] {
        folder.write("o.csv", with_one(odd, usual));
        let ran = folder.run(&["verify", "t.csv.aez", "--against", "o.csv"]);
        assert_eq!(ran.code, Some(3), "{odd}: {ran:?}");
        let said = String::from_utf8(ran.stdout).unwrap();
        assert!(said.contains("NOT held") && said.contains(odd), "{said}");
    }
}

#[test]
fn lines_that_end_in_cr_alone_are_lines() {
    let text = "a,b\n1,2.5\n3,4.25\n".to_string() + &"5,6.5\n".repeat(80);
    let folder = with("t.csv", text.replace('\n', "\r"));
    let said = folder.ok(&["compress", "t.csv", "-1", "--lossless"]).stderr;
    assert!(said.contains("CR alone"), "{said}");
    folder.ok(&["verify", "t.csv.aez", "--against", "t.csv"]);
    assert_eq!(folder.ok(&["decompress", "t.csv.aez", "-o", "-"]).text(), text);
}

#[test]
fn columns_of_text_in_archives_are_told_of() {
    let folder = with("m.csv", mixed(90));
    folder.ok(&["compress", "m.csv", "-1", "--lossless"]);
    let info = folder.ok(&["info", "m.csv.aez"]);
    assert!(info.text().contains("station, date, id, ok, share"), "{}", info.text());
    let names = folder.ok(&["info", "m.csv.aez", "--json"]).json()["text_columns"].clone();
    assert_eq!(names, serde_json::json!(["station", "date", "id", "ok", "share"]));
    let said = folder.ok(&["anomalies", "m.csv.aez", "-o", "n.csv"]).stderr;
    assert!(said.contains("station, date, id, ok, share are text, and left out"), "{said}");
}

#[test]
fn numbers_that_cannot_be_read_are_told_with_their_file() {
    let head = "{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (1,), }";
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(format!("{head:<117}\n").bytes());
    file.extend(1.5_f32.to_le_bytes());
    file.extend(((1_i64 << 60) + 1).to_le_bytes());
    let folder = with("r.npy", file);
    for command in ["compress", "train"] {
        let error = folder.fails(1, &[command, "r.npy", "-1", "-o", "x.aez"]);
        assert!(error.contains("r.npy: ") && error.contains("field \"b\""), "{error}");
    }
}
