"""Image files of every kind that is read, and their pixels: kernels-test/golden/image-kinds.json. Needs Pillow 13."""
from PIL import Image
import io, json, base64, math, os, random, struct, zlib
random.seed(7)
def photo(w,h):
    im=Image.new('RGB',(w,h)); px=im.load()
    for y in range(h):
        for x in range(w):
            px[x,y]=(int(127+120*math.sin(x/3+y/5)),int(127+120*math.sin(x/2-y/4+2)),int(127+120*math.cos(x*y/40)))
    for _ in range(4):
        x,y=random.randrange(w),random.randrange(h); im.paste(tuple(random.randrange(256) for _ in range(3)),(x,y,min(w,x+w//4),min(h,y+h//4)))
    return im
s=photo(27,19)
def save(im,fmt,**k):
    b=io.BytesIO(); im.save(b,fmt,**k); return b.getvalue()
def chunk(t,d): return struct.pack('>I',len(d))+t+d+struct.pack('>I',zlib.crc32(t+d))
def png(w,h,depth,colour,raw,extra=b'',interlace=0):
    return b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR',struct.pack('>IIBBBBB',w,h,depth,colour,0,0,interlace))+extra+chunk(b'IDAT',zlib.compress(raw,9))+chunk(b'IEND',b'')
files={}
files['baseline-444.jpg']=save(s,'JPEG',quality=85,subsampling=0)
files['baseline-422.jpg']=save(s,'JPEG',quality=85,subsampling=1)
files['baseline-420.jpg']=save(s,'JPEG',quality=85,subsampling=2)
files['progressive-420.jpg']=save(s,'JPEG',quality=85,subsampling=2,progressive=True)
files['progressive-444.jpg']=save(s,'JPEG',quality=95,subsampling=0,progressive=True)
files['restart-420.jpg']=save(s,'JPEG',quality=85,subsampling=2,restart_marker_blocks=1)
files['grey.jpg']=save(s.convert('L'),'JPEG',quality=85)
files['adobe-rgb.jpg']=save(s,'JPEG',quality=90,keep_rgb=True)
files['cmyk.jpg']=save(s.convert('CMYK'),'JPEG',quality=90)
def swap(b,table):
    b=bytearray(b); at=2
    while not (b[at]==0xff and b[at+1] in (0xc0,0xc2)): at+=2+(b[at+2]<<8|b[at+3])
    b[at+5:at+9]=struct.pack('>HH',*table[:2]); b[at+11]=table[2]; return bytes(b)
files['sampling-440.jpg']=swap(save(photo(32,16),'JPEG',quality=85,subsampling=1),(32,16,0x12))
files['sampling-411.jpg']=swap(save(photo(32,32),'JPEG',quality=85,subsampling=2),(16,64,0x41))
w,h=9,7
p=photo(w,h); rgba=p.convert('RGBA'); a=Image.new('L',(w,h)); a.putdata([ (k*37)%256 for k in range(w*h)]); rgba.putalpha(a)
files['alpha.png']=save(rgba,'PNG')
g=p.convert('L'); gd=list(g.getdata())
files['grey-transparent.png']=png(w,h,8,0,b''.join(b'\0'+bytes(gd[y*w:(y+1)*w]) for y in range(h)),chunk(b'tRNS',struct.pack('>H',gd[10])))
pd=list(p.getdata())
files['rgb-transparent.png']=png(w,h,8,2,b''.join(b'\0'+bytes(v for c in pd[y*w:(y+1)*w] for v in c) for y in range(h)),chunk(b'tRNS',struct.pack('>HHH',*pd[10])))
q=p.quantize(7); 
files['palette.png']=save(q,'PNG',transparency=bytes([0,128,255,0]))
files['one-bit.png']=save(p.convert('1'),'PNG')
files['grey-alpha.png']=save(rgba.convert('LA'),'PNG')
raw=[[(c[0]*257, c[1]*256+7, min(65535,c[2]*250+99)) for c in pd[y*w:(y+1)*w]] for y in range(h)]
files['rgb-16.png']=png(w,h,16,2,b''.join(b'\0'+b''.join(struct.pack('>HHH',*c) for c in row) for row in raw))
passes=((0,0,8,8),(4,0,8,8),(0,4,4,8),(2,0,4,4),(0,2,2,4),(1,0,2,2),(0,1,1,2))
ad=b''
for x0,y0,dx,dy in passes:
    for y in range(y0,h,dy):
        row=b''.join(bytes(pd[y*w+x]) for x in range(x0,w,dx))
        if row: ad+=b'\0'+row
files['interlaced.png']=png(w,h,8,2,ad,interlace=1)
out=[]
for n,b in files.items():
    im=Image.open(io.BytesIO(b)); im.load()
    if n=='rgb-16.png': px=bytes(round(v/257) for row in raw for c in row for v in c)
    elif im.mode=='CMYK':
        d=im.tobytes(); px=bytes(int((255-d[k+c])*(255-d[k+3])/255+0.5) for k in range(0,len(d),4) for c in range(3))
    elif im.mode in('RGBA','LA'): px=im.convert('RGBA').convert('RGB').tobytes()
    elif im.mode=='P': px=bytes(v for i in im.getdata() for v in im.getpalette()[3*i:3*i+3])
    else:
        im.info.pop('transparency',None); px=im.convert('RGB').tobytes()
    out.append(dict(name=n,width=im.width,height=im.height,file=base64.b64encode(b).decode(),pixels=base64.b64encode(px).decode()))
# orientation: a 3 x 2 image of flat 8 x 8 blocks, all eight
base=Image.new('RGB',(24,16)); cols=[(250,20,20),(20,250,20),(20,20,250),(250,250,20),(20,250,250),(240,240,240)]
for k,c in enumerate(cols): base.paste(c,(k%3*8,k//3*8,k%3*8+8,k//3*8+8))
from PIL import ImageOps
turn=[]
for o in range(1,9):
    ex=Image.Exif(); ex[0x112]=o
    b=save(base,'JPEG',quality=100,subsampling=0,exif=ex)
    im=ImageOps.exif_transpose(Image.open(io.BytesIO(b))).convert('RGB')
    turn.append(dict(name=f'orientation-{o}.jpg',width=im.width,height=im.height,file=base64.b64encode(b).decode(),pixels=base64.b64encode(zlib.compress(im.tobytes(),9)).decode()))
json.dump(dict(note='Files by Pillow 13.0 or of hand-written chunks; pixels are RGB bytes as libjpeg-turbo 3.2 and libpng decode them (rgb-16: nearest of 8 bits). Those of orientations are upright and deflated.',images=out,orientations=turn),open(os.path.join(os.path.dirname(__file__),'..','image-kinds.json'),'w'),indent=1)
