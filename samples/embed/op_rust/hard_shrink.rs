// The op hard_shrink in Rust, without crates: y = x where |x| > lambda, else 0. Built by rustc alone.
//
// The structs are those of tenon/base.h and tenon/plugin/{entry,builder,ops}.h; a slot that is not called here is a `Slot`. No panic
// leaves the library: `caught` turns it into an error of the host.
#![allow(non_camel_case_types)]
use std::ffi::c_void;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::null;

type Slot = Option<unsafe extern "C" fn()>;

#[repr(C)]
#[derive(Clone, Copy)]
struct tn_str {
    data: *const u8,
    size: u64,
}
const fn text(s: &'static str) -> tn_str {
    tn_str { data: s.as_ptr(), size: s.len() as u64 }
}

#[repr(C)]
struct tn_attr {
    key: u32,
    tag: u32,
    bits: u64,
    data: *const c_void,
}
const TN_ATTR_F64: u32 = 2;

#[repr(C)]
struct tn_view {
    mem: u64,
    offset: u64,
    dims: *const i64,
    strides: *const i64,
    count: i64,
    dtype: u32,
    rank: u8,
    flags: u8,
    reserved: u16,
}
const TN_DTYPE_F16: u32 = 0x11002;
const TN_DTYPE_F32: u32 = 0x12002;
const TN_DTYPE_F64: u32 = 0x14002;
const TN_DTYPE_BF16: u32 = 0x11004;

const TN_INVALID_ARGUMENT: u32 = 1;
const TN_INTERNAL: u32 = 17;
enum tn_error {}
type Error = *mut tn_error;

// ---- tenon/plugin/builder.h

const TN_OP_ABS: u32 = 1;
const TN_OP_LT: u32 = 33;
const TN_OP_WHERE: u32 = 35;

#[repr(C)]
struct tn_builder_vtbl {
    struct_size: u32,
    reserved: u32,
    input_count: Slot,
    input: unsafe extern "C" fn(*mut tn_builder, u32) -> i32,
    attr: unsafe extern "C" fn(*mut tn_builder, u32) -> *const tn_attr,
    wants: Slot,
    output: Slot,
    cotangent: unsafe extern "C" fn(*mut tn_builder, u32) -> i32,
    set: unsafe extern "C" fn(*mut tn_builder, u32, i32),
    call: unsafe extern "C" fn(*mut tn_builder, u32, *const i32, u32, *const tn_attr, u32, *mut i32, u32),
    scalar: unsafe extern "C" fn(*mut tn_builder, f64) -> i32,
    between: [Slot; 12], // dtype to reshape_like
    fail: unsafe extern "C" fn(*mut tn_builder, u32, tn_str),
}
#[repr(C)]
struct tn_builder {
    v: *const tn_builder_vtbl,
}

// A builder for as long as a recipe runs.
#[derive(Clone, Copy)]
struct Builder(*mut tn_builder);

impl Builder {
    fn v(&self) -> &tn_builder_vtbl {
        unsafe { &*(*self.0).v }
    }
    fn input(&self, i: u32) -> i32 {
        unsafe { (self.v().input)(self.0, i) }
    }
    fn cotangent(&self, i: u32) -> i32 {
        unsafe { (self.v().cotangent)(self.0, i) }
    }
    fn attr_f64(&self, key: u32) -> f64 {
        unsafe { f64::from_bits((*(self.v().attr)(self.0, key)).bits) }
    }
    fn scalar(&self, x: f64) -> i32 {
        unsafe { (self.v().scalar)(self.0, x) }
    }
    fn set(&self, i: u32, value: i32) {
        unsafe { (self.v().set)(self.0, i, value) }
    }
    fn call(&self, op: u32, inputs: &[i32]) -> i32 {
        let mut y = -1;
        unsafe { (self.v().call)(self.0, op, inputs.as_ptr(), inputs.len() as u32, null(), 0, &mut y, 1) }
        y
    }
}

// ---- tenon/plugin/ops.h

#[repr(C)]
struct tn_infer_vtbl {
    struct_size: u32,
    reserved: u32,
    input_count: Slot,
    input: unsafe extern "C" fn(*mut tn_infer, u32) -> *const tn_view,
    attr: unsafe extern "C" fn(*mut tn_infer, u32) -> *const tn_attr,
    dims: [Slot; 9], // dim_add to dim_broadcast
    promote: unsafe extern "C" fn(*mut tn_infer, u32, u32) -> u32,
    cast_input: unsafe extern "C" fn(*mut tn_infer, u32, u32),
    output: unsafe extern "C" fn(*mut tn_infer, u32, u32, u32, *const i64) -> Error,
    view: Slot,
    alias: Slot,
    error: unsafe extern "C" fn(*mut tn_infer, u32, tn_str) -> Error,
}
#[repr(C)]
struct tn_infer {
    v: *const tn_infer_vtbl,
}

#[repr(C)]
struct tn_param {
    name: tn_str,
    kind: u32,
    reserved: u32,
}
#[repr(C)]
struct tn_attr_def {
    name: tn_str,
    required: u32,
    reserved: u32,
    fallback: tn_attr,
}
const TN_OP_ELEMENTWISE: u32 = 2;

type Recipe = Option<unsafe extern "C" fn(*mut tn_builder)>;
#[repr(C)]
struct tn_op_def {
    struct_size: u32,
    flags: u32,
    name: tn_str,
    since: u32,
    n_params: u32,
    params: *const tn_param,
    n_attrs: u32,
    n_outputs: u32,
    attrs: *const tn_attr_def,
    infer: unsafe extern "C" fn(*mut tn_infer) -> Error,
    decompose: Recipe,
    gradient: Recipe,
    why_not_differentiable: tn_str,
}
#[repr(C)]
struct tn_ops_vtbl {
    struct_size: u32,
    op_stride: u32,
    op_count: u32,
    reserved: u32,
    ops: *const tn_op_def,
}

// ---- tenon/plugin/entry.h

#[repr(C)]
struct tn_interface {
    id: tn_str,
    major: u32,
    revision: u32,
    table: *const c_void,
}
#[repr(C)]
pub struct tn_plugin_info {
    struct_size: u32,
    header_version: u32,
    id: tn_str,
    version: tn_str,
    interfaces: *const tn_interface,
    interface_count: u32,
    interface_stride: u32,
    open: unsafe extern "C" fn(*const c_void, *mut *mut c_void) -> Error,
    close: unsafe extern "C" fn(*mut c_void),
}

// ---- the boundary

// Runs f. What it refused or panicked with, as code and message.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T, (u32, String)> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|thrown| match thrown.downcast::<Refusal>() {
        Ok(refusal) => (TN_INVALID_ARGUMENT, refusal.0),
        Err(other) => {
            let said = other.downcast_ref::<&str>().copied().unwrap_or("no text");
            (TN_INTERNAL, format!("a panic: {said}"))
        }
    })
}
struct Refusal(String);
// Leaves the function that `caught` runs, past the panic hook, which would write to stderr.
fn refuse(message: String) -> ! {
    resume_unwind(Box::new(Refusal(message)))
}
fn lend(s: &str) -> tn_str {
    tn_str { data: s.as_ptr(), size: s.len() as u64 }
}
fn run_recipe(b: *mut tn_builder, f: impl FnOnce(Builder)) {
    let builder = Builder(b);
    if let Err((code, message)) = caught(|| f(builder)) {
        unsafe { (builder.v().fail)(b, code, lend(&message)) }
    }
}

// ---- the op

const LAMBDA: u32 = 0;

unsafe extern "C" fn rule(c: *mut tn_infer) -> Error {
    let v = &*(*c).v;
    let result = caught(|| {
        let lambda = f64::from_bits((*(v.attr)(c, LAMBDA)).bits);
        if !(lambda >= 0.0) {
            refuse(format!("lambda is {lambda}, it must be at least 0"));
        }
        let dtype = (v.promote)(c, 0, 0);
        if ![TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_F32, TN_DTYPE_F64].contains(&dtype) {
            refuse("x must be floating point".to_string());
        }
        (v.cast_input)(c, 0, dtype);
        let x = &*(v.input)(c, 0);
        (v.output)(c, 0, dtype, x.rank as u32, x.dims)
    });
    result.unwrap_or_else(|(code, message)| (v.error)(c, code, lend(&message)))
}

// `value` where |x| > lambda, else 0.
fn shrunk(b: Builder, value: i32) -> i32 {
    let far = b.call(TN_OP_LT, &[b.scalar(b.attr_f64(LAMBDA)), b.call(TN_OP_ABS, &[b.input(0)])]);
    b.call(TN_OP_WHERE, &[far, value, b.scalar(0.0)])
}
unsafe extern "C" fn decompose(b: *mut tn_builder) {
    run_recipe(b, |b| b.set(0, shrunk(b, b.input(0))));
}
unsafe extern "C" fn gradient(b: *mut tn_builder) {
    run_recipe(b, |b| b.set(0, shrunk(b, b.cotangent(0))));
}

// ---- the plugin: constant data

struct Constant<T>(T);
unsafe impl<T> Sync for Constant<T> {}

static PARAMS: Constant<[tn_param; 1]> = Constant([tn_param { name: text("x"), kind: 0, reserved: 0 }]);
static ATTRS: Constant<[tn_attr_def; 1]> = Constant([tn_attr_def {
    name: text("lambda"),
    required: 0,
    reserved: 0,
    fallback: tn_attr { key: LAMBDA, tag: TN_ATTR_F64, bits: 0x3fe0_0000_0000_0000, data: null() }, // 0.5
}]);
static OPS: Constant<[tn_op_def; 1]> = Constant([tn_op_def {
    struct_size: std::mem::size_of::<tn_op_def>() as u32,
    flags: TN_OP_ELEMENTWISE,
    name: text("hard_shrink"),
    since: 1,
    n_params: 1,
    params: &PARAMS.0 as *const tn_param,
    n_attrs: 1,
    n_outputs: 1,
    attrs: &ATTRS.0 as *const tn_attr_def,
    infer: rule,
    decompose: Some(decompose),
    gradient: Some(gradient),
    why_not_differentiable: text(""),
}]);
static TABLE: Constant<tn_ops_vtbl> = Constant(tn_ops_vtbl {
    struct_size: std::mem::size_of::<tn_ops_vtbl>() as u32,
    op_stride: std::mem::size_of::<tn_op_def>() as u32,
    op_count: 1,
    reserved: 0,
    ops: &OPS.0 as *const tn_op_def,
});
static INTERFACES: Constant<[tn_interface; 1]> = Constant([tn_interface {
    id: text("tenon.ops"),
    major: 0,
    revision: 1,
    table: &TABLE.0 as *const tn_ops_vtbl as *const c_void,
}]);

unsafe extern "C" fn open(_host: *const c_void, state: *mut *mut c_void) -> Error {
    *state = std::ptr::null_mut();
    std::ptr::null_mut()
}
unsafe extern "C" fn close(_state: *mut c_void) {}

static INFO: Constant<tn_plugin_info> = Constant(tn_plugin_info {
    struct_size: std::mem::size_of::<tn_plugin_info>() as u32,
    header_version: 1 << 12, // 0.1.0
    id: text("com.example.hard_shrink"),
    version: text("1.0.0"),
    interfaces: &INTERFACES.0 as *const tn_interface,
    interface_count: 1,
    interface_stride: std::mem::size_of::<tn_interface>() as u32,
    open,
    close,
});

#[no_mangle]
pub extern "C" fn tn_plugin_query(_host_version: u32) -> *const tn_plugin_info {
    &INFO.0
}
