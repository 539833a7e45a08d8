//! The closed list of problem types. A slug, once published, keeps its meaning.

use http::StatusCode;

macro_rules! kinds {
    ($($name:ident $status:literal $slug:literal $title:literal $about:literal $about_zh:literal;)*) => {
        /// A type of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $title] $name,)*
        }

        /// Every type of problem there is.
        pub const KINDS: &[Kind] = &[$(Kind::$name,)*];

        impl Kind {
            /// The last part of its address.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// What it is, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do, in English.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// The same in Chinese.
            pub fn about_zh(self) -> &'static str {
                match self { $(Self::$name => $about_zh,)* }
            }

            fn status_number(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

kinds! {
    BadRequest 400 "bad-request" "The request is malformed"
        "A part of the request can't be read; the detail says which. Sending the same again fails again."
        "请求格式有误,详见 detail。原样重发仍会失败。";
    SignInRequired 401 "sign-in-required" "Sign in first"
        "The request carries no valid session or bearer token. Sessions end when idle and after a day's work; tokens end when revoked or expired."
        "请求没有有效的会话或令牌。会话空闲过久或到期会结束,令牌可能已撤销或过期。";
    WrongPassword 401 "wrong-password" "Name or password is wrong"
        "No user has this name and password. The answer is the same whether the name exists or not."
        "用户名或密码错误。无论用户是否存在,回答相同。";
    Forbidden 403 "forbidden" "Not allowed"
        "You are known, but your role or your token's scopes don't include this."
        "身份已确认,但您的角色或令牌权限不包含此操作。";
    CsrfMismatch 403 "csrf-mismatch" "The page's security token is missing or old"
        "A change made with a session cookie needs the header X-Docket-CSRF with the value that GET /v1/session returns. Reload the page."
        "使用会话 Cookie 进行更改时,须带 X-Docket-CSRF 请求头。请刷新页面。";
    OriginMismatch 403 "origin-mismatch" "The request comes from another site"
        "A change made with a session cookie must come from this daemon's own pages: Origin has to match Host."
        "使用会话 Cookie 的更改必须来自本系统页面:Origin 须与 Host 一致。";
    NotFound 404 "not-found" "There is no such thing here"
        "Nothing has this address, or it lies outside the units you may see."
        "此地址不存在,或不在您可见的单位范围内。";
    MethodNotAllowed 405 "method-not-allowed" "This address doesn't do that"
        "The address exists, but not with this method. Allow lists the methods it has."
        "该地址不支持此方法,可用方法见 Allow 头。";
    NotAcceptable 406 "not-acceptable" "No such representation"
        "The address has no representation of the type asked for."
        "没有所要求的表示形式。";
    Conflict 409 "conflict" "It is not in a state that allows this"
        "The thing exists, but in a state that does not allow what was asked; the detail says which."
        "对象当前状态不允许此操作,详见 detail。";
    AlreadyExists 409 "already-exists" "There is one already"
        "Something with this name or number already exists and is different."
        "同名或同号的对象已存在且内容不同。";
    OffsetMismatch 409 "offset-mismatch" "The upload stands at another offset"
        "Upload-Offset of a PATCH must be the offset that HEAD tells."
        "PATCH 的 Upload-Offset 必须与 HEAD 返回的一致。";
    ReceiptNotReady 409 "receipt-not-ready" "The receipt doesn't exist yet"
        "The recording is not yet sealed, or not yet read back from the vault. Ask again after Retry-After."
        "音像记录尚未封存或尚未完成回读校验,请按 Retry-After 稍后再取。";
    IdempotencyConflict 409 "idempotency-conflict" "The Idempotency-Key is in use"
        "The same key was sent with another request, or its first request is still under way."
        "同一 Idempotency-Key 已用于另一请求,或其首个请求仍在处理。";
    Gone 410 "gone" "It is no longer there"
        "The upload was refused, ended or deleted. What had been acknowledged is kept and shown with its recording."
        "该上传已被拒绝、结束或删除;已确认的字节随音像记录保留并可查看。";
    PreconditionFailed 412 "precondition-failed" "It has changed in between"
        "If-Match names an older version. Read it again, look, and send again with the new ETag."
        "If-Match 的版本已过时。请重新读取后再提交。";
    TusVersion 412 "tus-version" "Another version of tus"
        "Uploads here speak tus 1.0.0: Tus-Resumable must say so."
        "此处上传使用 tus 1.0.0,Tus-Resumable 须为 1.0.0。";
    TooLarge 413 "too-large" "Too large"
        "The body is larger than this address takes."
        "请求体超出此地址的上限。";
    UnsupportedMediaType 415 "unsupported-media-type" "Wrong content type"
        "The address takes another Content-Type; the detail says which."
        "Content-Type 不符,详见 detail。";
    RangeNotSatisfiable 416 "range-not-satisfiable" "No such bytes"
        "The range lies outside the bytes there are. Content-Range tells the size."
        "请求的字节范围不存在,大小见 Content-Range。";
    MisdirectedRequest 421 "misdirected-request" "Wrong host name"
        "This daemon is configured to answer under other host names."
        "本系统未配置此主机名。";
    Invalid 422 "invalid" "The values don't fit"
        "The request can be read, but a value is not acceptable; the detail says which and why."
        "请求可解析,但某个值不可接受,详见 detail。";
    DigestMismatch 422 "digest-mismatch" "The bytes are not the ones that were announced"
        "The digest of what arrived differs from the one the station sent. Both are kept, the bytes are in quarantine and shown. Upload the file again as a new upload."
        "收到内容的摘要与采集站声明的不一致。内容已隔离并显示,两个摘要均保留。请作为新上传重新提交。";
    Locked 423 "locked" "Somebody else has it right now"
        "Another request is working on the same thing. Try again in a moment."
        "另一请求正在处理同一对象,请稍后再试。";
    IfMatchRequired 428 "if-match-required" "Say which version you changed"
        "A change of this thing needs If-Match with the ETag you read, so that nobody's change is lost."
        "修改须带 If-Match(所读到的 ETag),以免覆盖他人的更改。";
    TooManyRequests 429 "too-many-requests" "Too many tries"
        "Too many tries from this address or for this name. Wait for Retry-After."
        "尝试过多,请按 Retry-After 等待。";
    LockedOut 429 "locked-out" "This name is locked for a while"
        "Too many wrong passwords for this name. It opens again by itself after Retry-After; an administrator can't see or shorten it by asking."
        "该用户名密码错误次数过多,暂时锁定,到 Retry-After 后自动解除。";
    ChecksumMismatch 460 "checksum-mismatch" "The chunk was damaged on its way"
        "The body's digest is not the one in Upload-Checksum. Nothing of it was kept; send it again from the same offset."
        "数据块摘要与 Upload-Checksum 不符,未保留任何字节,请从同一偏移重发。";
    Internal 500 "internal" "Something broke inside"
        "The daemon failed. Its log has the reason under the request id."
        "系统内部错误,原因见日志(按请求编号查找)。";
    NotPlayable 409 "not-playable" "This can't be played"
        "The recording can't be played in a browser; the detail says why. The original can be downloaded."
        "该音像记录无法在浏览器播放,原因见 detail。可下载原件。";
    NotYetPlayable 409 "not-yet-playable" "Not playable yet"
        "The recording is being looked at, or is not sealed yet. Try again after Retry-After."
        "正在分析或尚未封存,请按 Retry-After 稍后再试。";
    Busy 503 "busy" "Too busy"
        "The daemon has no capacity for this at the moment. Try again after Retry-After."
        "系统繁忙,请按 Retry-After 稍后再试。";
    Unavailable 503 "unavailable" "Not available now"
        "A part that this needs is not available (the store, the database, a worker). Try again later."
        "所需组件(存储、数据库或媒体进程)暂不可用,请稍后再试。";
    InsufficientStorage 507 "insufficient-storage" "No room left"
        "The vault has reached its reserve. Nothing that was acknowledged is lost; the upload goes on when there is room."
        "存储空间不足。已确认的内容不会丢失,腾出空间后可继续上传。";
}

impl Kind {
    /// The status it is sent with.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The kind with this slug.
    pub fn by_slug(slug: &str) -> Option<Self> {
        KINDS.iter().copied().find(|kind| kind.slug() == slug)
    }

    /// True where the client must learn nothing but the request id.
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Internal | Self::Unavailable)
    }
}
