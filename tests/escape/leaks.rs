use crate::attack::Attack;
pub fn attacks() -> Vec<Attack> {
    vec![]
}
