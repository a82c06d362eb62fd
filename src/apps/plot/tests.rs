use super::*;
use crate::apps::{ColumnUnits, CompareConfig, compare};
use crate::compress::Config;
use crate::matrix::Matrix;

fn spiral() -> Scatter<2> {
    let points = (0..300).map(|i| {
        let t = f64::from(i) * 0.05;
        [t * t.cos(), t * t.sin()]
    });
    let mut plot = Scatter::new(points.collect());
    plot.title = "a <spiral> & more".to_string();
    plot.colours = Some(Colours::Labels((0..300).map(|i| i % 12 - 3).collect()));
    plot
}

/// Width, height and pixels of a PNG file.
fn pixels(png: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width as usize, info.height as usize, pixels)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn svg_is_well_formed_and_has_every_point_and_its_text() {
    let svg = text(spiral().draw(PlotFormat::Svg).unwrap());
    assert_eq!(svg.matches("<circle").count(), 300 + 12);
    assert!(svg.contains("a &lt;spiral&gt; &amp; more"));
    assert!(svg.lines().any(|line| line == "-3"));
    assert!(svg.starts_with("<svg width=\"900\" height=\"700\" viewBox=\"0 0 7200 5600\""));
    let opened = svg.matches("<svg").count() + svg.matches("<text").count();
    assert_eq!(opened, svg.matches("</svg>").count() + svg.matches("</text>").count());
}

#[test]
fn png_has_dots_of_each_colour_and_dark_text() {
    let plot = spiral();
    let (width, height, pixels) = pixels(&plot.draw(PlotFormat::Png).unwrap());
    assert_eq!((width, height), (1800, 1400));
    let near = |a: &[u8], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 70);
    for class in 0..12 {
        let colour = colours::distinct(class);
        let colour = [colour.0, colour.1, colour.2];
        assert!(pixels.chunks_exact(3).any(|p| near(p, colour)), "{class}");
    }
    // The title's line.
    let title = &pixels[3 * width * 20..3 * width * 70];
    assert!(title.chunks_exact(3).filter(|p| p[0] < 60).count() > 500);
}

#[test]
fn pages_of_points_hold_data_and_a_script() {
    let mut plot = spiral();
    let page = text(plot.draw(PlotFormat::Html).unwrap());
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("a &lt;spiral&gt; &amp; more"));
    assert_eq!(page.matches("\"row ").count(), 300);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("labels = [\"-3\", \"-2\"") && page.contains("bar = []"));
    assert!(!page.contains("://"));
    plot.most = 100;
    plot.colours = Some(Colours::Numbers((0..300).map(|i| f64::from(i) * 1e20).collect()));
    let page = text(plot.draw(PlotFormat::Html).unwrap());
    assert!(page.contains("(every 3th of 300 rows)") && page.contains("labels = []"));
    assert_eq!(page.matches("\"row ").count(), 100);
    // Viridis, from its last colour.
    let bar = page.split("bar = ").nth(1).unwrap();
    assert!(bar.starts_with("[\"#fee825\""), "{bar:.99}");
    assert!(page.contains("ends = [\"2.99 (× 1e22)\", \"0 (× 1e22)\"]"));
}

#[test]
fn numbers_that_are_odd_are_drawn_or_left_out() {
    for scale in [1e-300, 1.0, 1e300] {
        let mut plot = spiral();
        plot.points.iter_mut().flatten().for_each(|x| *x *= scale);
        plot.points[3] = [f64::NAN, 1.0];
        plot.points[4] = [0.0, f64::INFINITY];
        let mut numbers: Vec<f64> = (0..300).map(|i| scale * f64::from(i)).collect();
        numbers[9] = f64::NAN;
        plot.colours = Some(Colours::Numbers(numbers));
        let svg = text(plot.draw(PlotFormat::Svg).unwrap());
        assert_eq!(svg.matches("<circle").count(), 298);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{scale}");
        let page = text(plot.draw(PlotFormat::Html).unwrap());
        assert_eq!(page.matches("\"row ").count(), 298);
    }
    for x in [0.0, 1.0, -1e300, f64::MAX] {
        let mut plot = Scatter::new(vec![[x, 2.0]; 5]);
        plot.draw(PlotFormat::Png).unwrap();
        plot.colours = Some(Colours::Labels(vec![1]));
        assert!(plot.draw(PlotFormat::Png).is_err());
    }
    assert!(Scatter::<2>::new(Vec::new()).draw(PlotFormat::Svg).is_err());
}

#[test]
fn many_dimensions_become_their_principal_two() {
    let values: Vec<f64> = (0..400)
        .flat_map(|i| {
            let (a, b) = (f64::from(i % 20) * 10.0, f64::from(i / 20));
            [a, -a, b, 0.5, a + b]
        })
        .collect();
    let rows = Matrix::from_slice(&values, &[5]).unwrap();
    let shared = Some(ColumnUnits::Shared);
    let (points, shares) = to_points::<2>(&rows, shared).unwrap();
    let shares = shares.unwrap();
    assert!(shares[0] > 0.9 && (shares[0] + shares[1] - 1.0).abs() < 1e-9, "{shares:?}");
    assert_eq!(points.len(), 400);
    assert_eq!(to_points::<3>(&rows, shared).unwrap().0[7][..2], points[7]);
    assert!(to_points::<2>(&Matrix::from_slice(&[1.0, 2.0], &[1]).unwrap(), None).is_err());
}

#[test]
fn images_and_lines() {
    let images =
        Matrix::from_slice(&(0..16 * 30).map(|i| (i % 16) as u8).collect::<Vec<_>>(), &[16]);
    let images = images.unwrap();
    let sets: [(&str, &dyn crate::Rows); 2] = [("before", &images), ("after", &images)];
    let (width, height, _) = pixels(&gallery(&sets, 20, "two lines", PlotFormat::Png).unwrap());
    assert!(width > 1000 && height > 400, "{width} {height}");
    assert!(gallery(&sets[..1], 0, "", PlotFormat::Svg).is_err());
    let table: Vec<f64> = (1..40).flat_map(|i| [f64::from(i), 50.0 / f64::from(i * i)]).collect();
    let table = Matrix::from_slice(&table, &[2]).unwrap();
    let svg = text(lines(&table, "falls", PlotFormat::Svg).unwrap());
    // Decades, as the numbers are far apart.
    assert!(["0.1", "1", "10"].iter().all(|name| svg.lines().any(|line| line == *name)), "{svg}");
    assert!(lines(&images, "", PlotFormat::Png).is_ok());
}

#[test]
fn space_is_a_still_picture_or_a_page_that_turns() {
    let points: Vec<[f64; 3]> =
        (0..200).map(|i| [f64::from(i % 20), f64::from(i / 20), f64::from(i).sin()]).collect();
    let mut plot = Scatter::new(points);
    plot.title = "</script><b>".to_string();
    plot.axes[0] = "\"</script>".to_string();
    plot.points[5][2] = f64::NAN;
    plot.colours = Some(Colours::Labels((0..200).map(|i| i % 3).collect()));
    let svg = text(plot.draw(PlotFormat::Svg).unwrap());
    assert_eq!(svg.matches("<circle").count(), 199 + 3);
    let page = text(plot.draw(PlotFormat::Html).unwrap());
    assert_eq!(page.matches("\"row ").count(), 199);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!page.contains("://"));
    plot.points.iter_mut().flatten().for_each(|x| *x *= 1e308);
    let (width, ..) = pixels(&plot.draw(PlotFormat::Png).unwrap());
    assert_eq!(width, 1800);
    assert!(Scatter::<3>::new(Vec::new()).draw(PlotFormat::Svg).is_err());
}

#[test]
fn rates_have_a_line_for_each_method() {
    let wave = |i: i32| (0.1 * f64::from(i / 6)).sin() * f64::from(i % 6);
    let rows = Matrix::from_slice(&(0..1800).map(wave).collect::<Vec<_>>(), &[6]).unwrap();
    let how = CompareConfig { levels: vec![1], ..CompareConfig::default() };
    let mut found = compare(&rows, &Config::default(), &how).unwrap();
    let svg = text(rates(&found, "waves <1>", PlotFormat::Svg).unwrap());
    // A dot for each bound, and a name for each method.
    assert_eq!(svg.matches("<circle").count(), 3);
    for name in
        ["waves &lt;1&gt;", "as they are", "lossless", "level 1", "300 rows", "bytes per row"]
    {
        assert!(svg.contains(name), "{name}");
    }
    assert_eq!(pixels(&rates(&found, "", PlotFormat::Png).unwrap()).0, 1800);
    // What a logarithm does not have is left out, and nothing is left at last.
    found.trials[2].error = 0.0;
    found.trials[3].error = f64::NAN;
    let svg = text(rates(&found, "", PlotFormat::Svg).unwrap());
    assert_eq!(svg.matches("<circle").count(), 1);
    found.trials.truncate(2);
    assert!(rates(&found, "", PlotFormat::Svg).is_err());
}
