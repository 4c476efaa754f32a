//! Rules over records of the host's: the business changes them without a release.

use std::error::Error;
use std::io::Write;

use pinfold::{FromFold, ToFold, Vm};

#[derive(ToFold)]
struct Order {
    customer: String,
    total: f64,
    items: Vec<Item>,
    coupon: Option<String>,
}

#[derive(ToFold)]
struct Item {
    name: String,
    price: f64,
    qty: i64,
}

#[derive(FromFold)]
struct Discount {
    rule: String,
    amount: f64,
}

const RULES: &str = r#"
record Item { name: String, price: Float, qty: Int }
record Order { customer: String, total: Float, items: List<Item>, coupon: Option<String> }
record Discount { rule: String, amount: Float }

pub fn discounts(order: Order) -> List<Discount> {
    var found: List<Discount> = []
    if order.total > 100.0 { found.push(Discount { rule: "large order", amount: order.total * 0.05 }) }
    for item in order.items {
        if item.qty >= 10 { found.push(Discount { rule: "ten of {item.name}", amount: item.price }) }
    }
    if order.coupon == Some("WELCOME") { found.push(Discount { rule: "welcome", amount: 5.0 }) }
    found
}
"#;

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let rules = Vm::new()?.compile("rules.fold", RULES)?;
    let items =
        vec![Item { name: "nails".into(), price: 0.5, qty: 12 }, Item { name: "hammer".into(), price: 120.0, qty: 1 }];
    let order = Order { customer: "Ada".into(), total: 126.0, items, coupon: Some("WELCOME".into()) };
    let discounts: Vec<Discount> = rules.call("discounts", (&order,))?;
    for Discount { rule, amount } in &discounts {
        writeln!(out, "  {}: {rule} {amount:.2}", order.customer)?;
    }
    let sum: f64 = discounts.iter().map(|discount| discount.amount).sum();
    writeln!(out, "  to pay: {:.2}", order.total - sum)?;
    Ok(())
}
