#[path = "../tests/toy/mod.rs"] mod toy;
use snapc::search::*; use std::time::Instant; use std::sync::atomic::AtomicBool;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
fn main(){
  let space = toy::Toy::new(12);
  let mut c = AutosnapConfiguration::default();
  for a in std::env::args().skip(1) { let (k,v)=a.split_once('=').unwrap();
    match k { "hidden"=>c.model.hidden=v.parse().unwrap(),"latent"=>c.model.latent=v.parse().unwrap(),"steps"=>c.pretraining.steps=v.parse().unwrap(),
     "batch"=>c.pretraining.batch=v.parse().unwrap(),"lr"=>c.pretraining.learning_rate=v.parse().unwrap(),"programs"=>c.pretraining.programs=v.parse().unwrap(),
     "noise"=>c.model.latent_noise=v.parse().unwrap(),"scale"=>c.model.scale_weight=v.parse().unwrap(),_=>panic!()} }
  let t=Instant::now();
  let mut l = learner::Learner::new(&space,&c,0).unwrap();
  println!("new {:?}",t.elapsed());
  let stop=AtomicBool::new(false); let t=Instant::now();
  l.pretrain(&mut ChaCha8Rng::seed_from_u64(0),&stop,&mut |_|{}).unwrap();
  println!("pretrain {:?}",t.elapsed()); let t=Instant::now();
  println!("{:?} {:?}", l.measure(&space,&mut ChaCha8Rng::seed_from_u64(0)).unwrap(),t.elapsed());
}
